/** Days records are kept, at most; every record carries the class it was written with. */
export const retentionClasses = [1, 7, 30, 90, 400, 3650] as const;

/** See `retentionClasses`. */
export type RetentionClass = (typeof retentionClasses)[number];

/** The class of a setting: its days, rounded up. */
export function retentionClassOf(days: number): RetentionClass {
  return retentionClasses.find((retentionClass) => days <= retentionClass) ?? 3650;
}
