/** Minutes a tally is kept. */
const maxMinutes = 180;

/** Counts of named classes per minute. */
export interface Tallies {
  add(name: string, minute: number, counts: Readonly<Record<string, number>>): void;
  sum(name: string, minute: number, minutes: number): Record<string, number>;
  /** Drops names that have not been counted for as long as anybody may ask. */
  sweep(minute: number): void;
}

/** Creates empty tallies. */
export function createTallies(): Tallies {
  const names = new Map<string, Map<number, Map<string, number>>>();
  return {
    add(name, minute, counts) {
      let minutes = names.get(name);
      if (!minutes) names.set(name, minutes = new Map());
      let classes = minutes.get(minute);
      if (!classes) {
        for (const old of minutes.keys()) if (minute - old >= maxMinutes) minutes.delete(old);
        minutes.set(minute, classes = new Map());
      }
      for (const [key, count] of Object.entries(counts)) {
        classes.set(key, (classes.get(key) ?? 0) + count);
      }
    },
    sum(name, minute, minutes) {
      const sums = new Map<string, number>();
      for (const [at, classes] of names.get(name) ?? []) {
        if (at > minute || minute - at >= Math.min(minutes, maxMinutes)) continue;
        for (const [key, count] of classes) sums.set(key, (sums.get(key) ?? 0) + count);
      }
      return Object.fromEntries(sums);
    },
    sweep(minute) {
      for (const [name, minutes] of names) {
        const newest = Math.max(...minutes.keys());
        if (minute - newest >= maxMinutes) names.delete(name);
      }
    },
  };
}
