/** What the chart shows of one step of time. */
export interface ChartStep {
  readonly second: number;
  /** Tokens asked for, served and refused in the step; the share at its end in percent. */
  readonly pools: readonly {
    readonly asked: number;
    readonly served: number;
    readonly refused: number;
    readonly share: number;
  }[];
}

/** See `chart`. */
export interface ChartInput {
  /** Tokens per minute. */
  readonly limit: number;
  readonly pools: readonly {
    readonly name: string;
    readonly rank: number;
    /** Bounds in units of 0.001 percent. */
    readonly min: number;
    readonly max: number;
  }[];
  readonly steps: readonly ChartStep[];
  readonly stepSeconds: number;
}

interface Panel {
  readonly top: number;
  readonly height: number;
  readonly most: number;
  readonly title: string;
  readonly unit: string;
}

const width = 1200;
const left = 70;
const right = 20;
const inner = width - left - right;
/** Fill, line and dashes of each pool: told apart without colour too. */
const looks = [
  { color: "#1f6fb4", dash: "" },
  { color: "#c2571a", dash: "7 3" },
  { color: "#3c7d3f", dash: "2 3" },
  { color: "#7a4aa0", dash: "10 3 2 3" },
] as const;

/** Draws demand, shares and refusals over time as one SVG, three panels under each other. */
export function chart({ limit, pools, steps, stepSeconds }: ChartInput): string {
  const perMinute = 60 / stepSeconds;
  const asked = steps.map((step) => step.pools.map((pool) => pool.asked * perMinute));
  const refused = steps.map((step) => step.pools.map((pool) => pool.refused * perMinute));
  const shares = steps.map((step) => step.pools.map(({ share }) => share));
  const most = niceCeiling(Math.max(limit, ...asked.flat()));
  const means = `${stepSeconds} s means`;
  const panels = {
    demand: {
      top: 70,
      height: 220,
      most,
      title: `Demand, tokens per minute (${means}); red: the limit of ${figure(limit)}`,
      unit: "",
    },
    shares: {
      top: 350,
      height: 220,
      most: 100,
      title: "Shares of the connection; white: free",
      unit: " %",
    },
    refusals: {
      top: 630,
      height: 140,
      most: niceCeiling(Math.max(1, ...refused.map((values) => sum(values)))),
      title: `Refused, tokens per minute (${means})`,
      unit: "",
    },
  } satisfies Record<string, Panel>;
  const x = (index: number) => left + inner * index / Math.max(1, steps.length - 1);

  const parts = [
    frame(panels.demand, steps, stepSeconds),
    ...pools.map((_, index) =>
      line(asked.map((values) => values[index]!), panels.demand, x, index)
    ),
    rule(limit, panels.demand),
    frame(panels.shares, steps, stepSeconds),
    ...stack(shares, panels.shares, x),
    frame(panels.refusals, steps, stepSeconds),
    ...stack(refused, panels.refusals, x),
  ];
  const legend = pools.map(({ name, rank, min, max }, index) => {
    const at = left + index * 330;
    const { color, dash } = looks[index % looks.length]!;
    return `<line x1="${at}" y1="36" x2="${at + 36}" y2="36" stroke="${color}" stroke-width="3" ` +
      `stroke-dasharray="${dash}"/>` +
      label(at + 44, 41, `${name}: rank ${rank}, ${min / 1000} to ${max / 1000} %`, "#222");
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} 810" width="${width}" height="810" ` +
    `font-family="sans-serif" font-size="13">`,
    `<rect width="${width}" height="810" fill="#fff"/>`,
    ...legend,
    ...parts,
    "</svg>",
    "",
  ].join("\n");
}

function frame(panel: Panel, steps: readonly ChartStep[], stepSeconds: number): string {
  const { top, height, most, title, unit } = panel;
  const rows = [0, 0.25, 0.5, 0.75, 1].map((part) => {
    const at = top + height * (1 - part);
    return `<line x1="${left}" y1="${at}" x2="${width - right}" y2="${at}" stroke="#ddd"/>` +
      `<text x="${left - 8}" y="${at + 4}" text-anchor="end" fill="#555">${
        figure(most * part)
      }${unit}</text>`;
  });
  const minutes = steps.length * stepSeconds / 60;
  const marks = Array.from({ length: Math.floor(minutes / 10) + 1 }, (_, index) => {
    const at = left + inner * index * 10 / minutes;
    return `<text x="${at}" y="${top + height + 17}" text-anchor="middle" fill="#555">${
      index * 10
    } min</text>`;
  });
  return [
    `<text x="${left}" y="${top - 10}" font-weight="bold" fill="#222">${title}</text>`,
    ...rows,
    ...marks,
  ].join("");
}

function line(
  values: readonly number[],
  panel: Panel,
  x: (index: number) => number,
  index: number,
): string {
  const { color, dash } = looks[index % looks.length]!;
  const points = values.map((value, at) => `${x(at).toFixed(1)},${y(panel, value).toFixed(1)}`);
  return `<polyline points="${points.join(" ")}" fill="none" stroke="${color}" ` +
    `stroke-width="1.5" stroke-dasharray="${dash}"/>`;
}

/** Areas upon each other, the first at the bottom. */
function stack(
  values: readonly (readonly number[])[],
  panel: Panel,
  x: (index: number) => number,
): string[] {
  const count = values[0]?.length ?? 0;
  return Array.from({ length: count }, (_, index) => {
    const edge = (upTo: number) => values.map((row) => sum(row.slice(0, upTo)));
    const point = (value: number, at: number) =>
      `${x(at).toFixed(1)},${y(panel, value).toFixed(1)}`;
    const above = edge(index + 1).map(point);
    const below = edge(index).map(point).reverse();
    const { color } = looks[index % looks.length]!;
    return `<polygon points="${above.join(" ")} ${below.join(" ")}" fill="${color}" ` +
      `fill-opacity="0.55" stroke="${color}" stroke-width="0.5"/>`;
  });
}

function rule(value: number, panel: Panel): string {
  const at = y(panel, value);
  return `<line x1="${left}" y1="${at}" x2="${width - right}" y2="${at}" stroke="#a00" ` +
    `stroke-width="1.5"/>`;
}

function label(x: number, y: number, text: string, color: string): string {
  return `<text x="${x}" y="${y}" fill="${color}">${text}</text>`;
}

function y({ top, height, most }: Panel, value: number): number {
  return top + height * (1 - Math.min(1, value / most));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** The next number of the form 1, 2, 2.5, 4, 5, 6, 8 times a power of ten. */
function niceCeiling(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 2.5, 4, 5, 6, 8, 10].map((step) => step * power).find((step) => step >= value)!;
}

function figure(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, " ");
}
