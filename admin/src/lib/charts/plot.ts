import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { formatTime } from "#lib/format/format.ts";
import { preferences } from "#lib/shell/preferences.svelte.ts";
import { type ChartKind, colourOf, dashes, type Series, stack } from "./series.ts";

/** How a plot is set up. */
export interface PlotOptions {
  readonly height: number;
  readonly kind: ChartKind;
  readonly group: string | undefined;
  readonly format: (value: number) => string;
  /** The cursor stands at an index; undefined when it has left. */
  readonly point: (index: number | undefined) => void;
}

/** A plot in the page. */
export interface PlotHandle {
  set(times: readonly number[], series: readonly Series[]): void;
  /** Moves the cursor, as the keyboard does. */
  cursor(index: number): void;
  /** Reads the colours again after a change of theme. */
  recolour(): void;
  destroy(): void;
}

/** Seconds between labels of the time axis: none is shorter than what the labels tell. */
const timeSteps = [1, 5, 10, 15, 30].flatMap((step) => [step, 60 * step]).concat(
  [1, 2, 3, 4, 6, 8, 12].map((hours) => 3_600 * hours),
  [1, 2, 4, 7, 14, 28, 91, 182, 365].map((days) => 86_400 * days),
).toSorted((one, other) => one - other);

/** Draws into an element and follows its width. */
export function createPlot(place: HTMLElement, options: PlotOptions): PlotHandle {
  let plot: uPlot | undefined;
  let shown: { times: readonly number[]; series: readonly Series[] } = { times: [], series: [] };
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const observer = new ResizeObserver(() =>
    plot?.setSize({ width: place.clientWidth, height: options.height })
  );
  observer.observe(place);
  dark.addEventListener("change", draw);

  function draw(): void {
    plot?.destroy();
    const { times, series } = shown;
    const sums = stack(series);
    // Areas that stand on others are drawn from the top, so that the lower ones lie before them.
    const order = series.map((_, index) => index).reverse();
    const data = [
      times.map((time) => time / 1000),
      // A bar of no height is no bar: it would draw a line along the axis.
      ...order.map((index) =>
        options.kind === "bars"
          ? sums[index]!.map((sum, at) => series[index]!.values[at] ? sum : null)
          : sums[index]
      ),
    ] as unknown as uPlot.AlignedData;
    // Where all is nothing, other values than that one stand for no scale.
    const flat = series.every(({ values }) => values.every((value) => !value));
    const axis = {
      stroke: colour("--text-faint"),
      grid: { stroke: colour("--line"), width: 1 },
      ticks: { show: false },
    };
    plot = new uPlot(
      {
        width: place.clientWidth || 600,
        height: options.height,
        legend: { show: false },
        cursor: {
          ...(options.group ? { sync: { key: options.group } } : {}),
          points: { size: 7 },
          drag: { x: false, y: false },
        },
        scales: {
          // The first and the last bar stand in the picture with their whole width.
          x: {
            range: (_plot, low, high) =>
              options.kind === "bars" ? widened(low, high, times) : [low, high],
          },
          y: { range: (_plot, _low, high) => [0, high > 0 ? high * 1.08 : 1] },
        },
        axes: [{
          ...axis,
          size: 28,
          incrs: [...timeSteps],
          values: (_plot, at, _axis, _space, step) => at.map((each) => clock(each, step)),
        }, {
          ...axis,
          size: (_plot, labels) => widthOf(labels),
          values: (_plot, values) =>
            values.map((value) => flat && value !== 0 ? "" : options.format(value)),
        }],
        series: [
          {},
          ...order.map((index): uPlot.Series => ({
            label: series[index]!.label,
            stroke: colour(colourOf(series[index]!.tone ?? index)),
            width: options.kind === "bars" ? 1 : 2,
            dash: options.kind === "bars" ? [] : [...dashes[index % dashes.length]!],
            spanGaps: false,
            points: options.kind === "bars"
              ? { show: false }
              : { show: times.length < 40, size: 5, filter: alone },
            ...(options.kind === "line" ? {} : {
              fill: `color-mix(in srgb, ${colour(colourOf(series[index]!.tone ?? index))} ${
                options.kind === "bars" ? 75 : 35
              }%, ${colour("--surface")})`,
            }),
            ...(options.kind === "bars" ? { paths: uPlot.paths.bars!({ size: [0.7, 40] }) } : {}),
          })),
        ],
        hooks: { setCursor: [(self) => options.point(self.cursor.idx ?? undefined)] },
      },
      data,
      place,
    );
  }

  /** A canvas knows no custom properties, and none of `light-dark()`: the browser works the colour out. */
  function colour(name: string): string {
    const probe = document.createElement("span");
    probe.style.color = `var(${name})`;
    place.append(probe);
    const { color } = getComputedStyle(probe);
    probe.remove();
    return color;
  }

  return {
    set(times, series) {
      shown = { times, series };
      draw();
    },
    cursor(index) {
      if (!plot) return;
      plot.setCursor({ left: plot.valToPos(shown.times[index]! / 1000, "x"), top: 0 });
    },
    recolour: draw,
    destroy() {
      observer.disconnect();
      dark.removeEventListener("change", draw);
      plot?.destroy();
    },
  };
}

/** Half a bar more at both ends; in seconds since 1970. */
function widened(low: number, high: number, times: readonly number[]): [number, number] {
  const half = times.length > 1 ? (times[1]! - times[0]!) / 2000 : 30;
  return [low - half, high + half];
}

/** Room for the labels of the value axis, in pixels. */
function widthOf(labels: readonly string[] | null): number {
  return Math.max(40, 18 + 6.6 * Math.max(0, ...(labels ?? []).map(({ length }) => length)));
}

/** Where a value has no neighbour a line has nothing to draw: it is shown as a point. */
const alone: uPlot.Series.Points.Filter = (plot, index, show) => {
  if (show) return null;
  const values = plot.data[index] as readonly (number | null | undefined)[];
  const found = values.flatMap((value, at) =>
    (value ?? null) !== null && (values[at - 1] ?? null) === null &&
      (values[at + 1] ?? null) === null
      ? [at]
      : []
  );
  return found.length > 0 ? found : null;
};

/** What stands at a tick of the time axis, in the zone all times are shown in. */
function clock(seconds: number, step: number): string {
  const text = formatTime(seconds * 1000, preferences.utc);
  if (step >= 86_400) return text.slice(5, 10);
  const time = text.slice(11, step < 60 ? 19 : 16);
  return time === "00:00" ? `${text.slice(5, 10)}` : time;
}
