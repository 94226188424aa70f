import type { MeterKey } from "../contract/capacity-store.ts";

/** A meter's name as a text, for maps: equal for equal keys of one environment, different for all others. */
export function meterName(environmentId: string, meter: MeterKey): string {
  const { level, subjectId, period, dimension } = meter;
  const plain = `${environmentId} ${level} ${subjectId} ${period}`;
  // Values are free text and stand last; names hold no blank.
  return dimension ? `${plain} ${dimension.name} ${dimension.value}` : plain;
}
