import type { Counter, MeterKey, MeterLevel, Period } from "@vmx/core/contract";

/** The name of a meter's entry within its environment. Parts are escaped, so that colons only separate. */
export function entryName(meter: Pick<MeterKey, "level" | "subjectId" | "period">): string {
  return `${meter.level}:${encodeURIComponent(meter.subjectId)}:${meter.period}`;
}

/** The four arguments that name a meter to a script; dimension and value are empty when it has none. */
export function meterArguments(meter: MeterKey): [string, string, string, string] {
  const { dimension } = meter;
  return [
    entryName(meter),
    meter.period,
    dimension ? encodeURIComponent(dimension.name) : "",
    dimension ? encodeURIComponent(dimension.value) : "",
  ];
}

/** The counter a key ending in `<level>:<subject>:<period>[:<dimension>:<value>]:<start>` stands for. */
export function counterNamed(suffix: string, requests: number, tokens: number): Counter {
  const parts = suffix.split(":").map(decodeURIComponent);
  const [level, subjectId, period, name, value] = parts;
  return {
    level: level as MeterLevel,
    subjectId: subjectId!,
    period: period as Period,
    ...(parts.length > 4 && { dimension: { name: name!, value: value! } }),
    windowStart: Number(parts.at(-1)),
    used: { requests, tokens },
  };
}
