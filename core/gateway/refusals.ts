import type { Clock } from "../contract/index.ts";

const windowMs = 60_000;
const maxSources = 100_000;

/** Counts refused credentials per source address, so that guessing is slowed down. */
export interface Refusals {
  /** Notes one refusal; answers the seconds to wait when the source has had too many, else undefined. */
  note(sourceIp: string): number | undefined;
}

/** Allows `perMinute` refusals after a source's first one. Valid credentials never come here. */
export function createRefusals(clock: Clock, perMinute = 60): Refusals {
  const sources = new Map<string, { since: number; count: number }>();
  return {
    note(sourceIp) {
      const now = clock.monotonic();
      const known = sources.get(sourceIp);
      if (!known || now - known.since >= windowMs) {
        if (sources.size >= maxSources) forgetOldest(sources);
        sources.delete(sourceIp);
        sources.set(sourceIp, { since: now, count: 0 });
        return undefined;
      }
      known.count++;
      return known.count > perMinute ? Math.ceil((known.since + windowMs - now) / 1000) : undefined;
    },
  };
}

function forgetOldest(sources: Map<string, unknown>): void {
  const oldest = sources.keys().next();
  if (!oldest.done) sources.delete(oldest.value);
}
