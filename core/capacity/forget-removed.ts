import type { Capacity } from "@vmx/schemas";
import type { Snapshot } from "../store/snapshot.ts";
import type { GuardedStore } from "./guarded-store.ts";
import { allSubjects, type LimitedSubject } from "./subjects.ts";

/**
 * Creates the function that forgets the counters of limits that have been taken away since the snapshot before, whoever
 * took them away. A limit that was changed or disabled keeps its count. What the store cannot forget now stays until
 * its window ends.
 */
export function createForgetRemoved(
  store: Pick<GuardedStore, "ask">,
): (snapshot: Snapshot) => void {
  let before: ReadonlyMap<string, LimitedSubject> | undefined;
  return (snapshot) => {
    const now = limited(snapshot);
    for (const [key, known] of before ?? []) {
      const next = now.get(key);
      if (next?.view.capacity === known.view.capacity) continue;
      const kept = periodsOf(next);
      for (const period of periodsOf(known)) {
        if (kept.has(period)) continue;
        const { environmentId, level, subjectId } = known;
        void store.ask((capacity) => capacity.reset(environmentId, { level, subjectId, period }));
      }
    }
    before = now;
  };
}

function limited(snapshot: Snapshot): Map<string, LimitedSubject> {
  const all = new Map<string, LimitedSubject>();
  for (const subject of allSubjects(snapshot)) {
    if (subject.view.capacity.length === 0) continue;
    all.set(`${subject.level} ${subject.subjectId}`, subject);
  }
  return all;
}

function periodsOf(subject: LimitedSubject | undefined): Set<Capacity["period"]> {
  const entries = (subject?.view.capacity ?? []) as readonly Capacity[];
  return new Set(entries.map(({ period }) => period));
}
