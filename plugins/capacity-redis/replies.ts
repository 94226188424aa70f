import type {
  MeterKey,
  MeterState,
  PoolState,
  Refusal,
  ReserveReply,
  ReserveRequest,
  ShareMove,
} from "@vmx/core/contract";

/** Figures a script answers for each meter. */
export const figuresPerMeter = 8;

type Reply = readonly (string | number)[];

/** The state of a meter from its figures, which begin at `at`. */
export function stateFrom(meter: MeterKey, reply: Reply, at: number): MeterState {
  const figure = (index: number): number => Number(reply[at + index]);
  const { level, subjectId, period, dimension } = meter;
  const isShared = figure(7) === 1;
  return {
    level,
    subjectId,
    period,
    ...(dimension &&
      { dimension: isShared ? { name: dimension.name, value: "other" } : dimension }),
    used: { requests: figure(0), tokens: figure(1) },
    reserved: { requests: figure(2), tokens: figure(3) },
    denied: figure(4),
    windowStart: figure(5),
    resetAt: figure(6) || null,
  };
}

/** What the script for reservations answered. */
export function reserveReplyFrom(request: ReserveRequest, reply: Reply): ReserveReply {
  const { meters } = request;
  const states = meters.map((meter, index) => stateFrom(meter, reply, 1 + index * figuresPerMeter));
  if (reply[0] === 1) return { admitted: true, meters: states };
  const refused: Refusal[] = [];
  let at = 1 + meters.length * figuresPerMeter;
  for (; at < reply.length && reply[at] !== 0; at += 2) {
    const index = Number(reply[at]) - 1;
    const axis = reply[at + 1] === 0 ? "requests" : "tokens";
    const { used, resetAt } = states[index]!;
    refused.push({ gate: "capacity", meter: meters[index]!, axis, used: used[axis], resetAt });
  }
  if (at < reply.length) refused.push(...gateRefusals(request, reply, at + 1));
  return { admitted: false, refused, meters: states };
}

function gateRefusals({ pool: gate }: ReserveRequest, reply: Reply, at: number): Refusal[] {
  const shares = gate!.pools.map((pool, index) => ({
    ...pool,
    current: Number(reply[at + 3 + index]),
  }));
  const own = shares.find(({ name }) => name === gate!.pool);
  const others = shares.filter(({ name }) => name !== gate!.pool);
  const refusal = (rule: "share" | "maximum" | "protected-minimum"): Refusal => ({
    gate: "prioritization",
    rule,
    pool: gate!.pool,
    current: own?.current ?? 0,
    min: own?.min ?? 0,
    max: own?.max ?? 0,
    used: Number(reply[at + 2]),
    others,
  });
  const rule = reply[at] as "" | "share" | "maximum";
  return [
    ...(rule === "" ? [] : [refusal(rule)]),
    ...(reply[at + 1] === 1 ? [refusal("protected-minimum")] : []),
  ];
}

/** What the script for pools answered; undefined when nothing is stored. */
export function poolStateFrom(
  [now, total, shareFields, useFields, deniedFields, demandFields]: readonly [
    number,
    string,
    ...(readonly (string | number)[])[],
  ],
): PoolState | undefined {
  const shares = pairs(shareFields!);
  if (shares.size === 0) return undefined;
  const uses = pairs(useFields!);
  const denied = pairs(deniedFields!);
  const demand = pairs(demandFields!);
  const names = new Set([
    ...[...shares.keys(), ...uses.keys()].flatMap((field) =>
      /^[cu]:/.test(field) ? [field.slice(2)] : []
    ),
    ...denied.keys(),
    ...demand.keys(),
  ]);
  const pools = [...names].map((name) => {
    const move = shares.get(`m:${name}`);
    return {
      name,
      current: Number(shares.get(`c:${name}`) ?? 0),
      lastGrowthAt: Number(shares.get(`g:${name}`) ?? 0),
      ...(move !== undefined && { lastMove: JSON.parse(String(move)) as ShareMove }),
      usedThisMinute: Number(uses.get(`u:${name}`) ?? 0),
      deniedThisMinute: Number(denied.get(name) ?? 0),
      demand: Number(demand.get(name) ?? 0),
    };
  });
  const ofPools = pools.reduce((sum, { usedThisMinute }) => sum + usedThisMinute, 0);
  return {
    version: Number(shares.get("v")),
    now,
    unassignedUsed: Math.max(0, Number(total) - ofPools),
    pools,
  };
}

/** A flat list of names and values as a map. */
function pairs(list: Reply): Map<string, string | number> {
  return new Map(
    Array.from({ length: list.length / 2 }, (_, at) => [String(list[2 * at]), list[2 * at + 1]!]),
  );
}
