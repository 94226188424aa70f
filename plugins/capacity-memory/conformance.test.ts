import { capacityStoreCases, runCases } from "@vmx/core/conformance";
import { createMemoryStore } from "./memory-store.ts";

/** A Sunday evening in February, seconds after a minute began. */
const start = Date.parse("2026-02-22T22:15:03.217Z");
let now = start;

await runCases(
  "capacity store memory",
  capacityStoreCases({
    create() {
      now = start;
      return Promise.resolve(createMemoryStore({ now: () => now }));
    },
    now: () => now,
    advance(ms) {
      now += ms;
      return Promise.resolve();
    },
    turn: (ms) => void (now += ms),
  }),
);
