import type { CapacityStore } from "../contract/capacity-store.ts";
import { copyCases } from "./capacity-stores-copies.ts";
import { meterCases } from "./capacity-stores-meters.ts";
import { poolCases } from "./capacity-stores-pools.ts";
import { reservationCases } from "./capacity-stores-reservations.ts";
import type { Case } from "./case.ts";

/** What the suite needs of a capacity store. */
export interface CapacityStoreSubject {
  /** A store without counters, some seconds before the end of a minute. */
  create(): Promise<CapacityStore>;
  /** Unix milliseconds of the clock the store goes by. */
  now(): number;
  /** Lets time pass for the store created last: a second or less. */
  advance(ms: number): Promise<void>;
  /** Turns the store's clock forward by any time. Absent where the clock cannot be turned. */
  turn?(ms: number): void;
}

/** A case and what it needs of the subject. */
export interface StoreCase {
  readonly name: string;
  /** True when the store's clock must be turned to another window. */
  readonly turns?: true;
  run(store: CapacityStore, subject: Required<CapacityStoreSubject>): Promise<void>;
}

/** What every `CapacityStore` must do. */
export function capacityStoreCases(subject: CapacityStoreSubject): readonly Case[] {
  const cases = [...meterCases, ...reservationCases, ...poolCases, ...copyCases];
  return cases.map(({ name, turns, run }) => ({
    name,
    ...(turns && !subject.turn && { skip: "the store's clock cannot be turned" }),
    async run() {
      const store = await subject.create();
      try {
        // Cases that turn the clock are skipped above where that is impossible.
        await run(store, subject as Required<CapacityStoreSubject>);
      } finally {
        await store.close();
      }
    },
  }));
}
