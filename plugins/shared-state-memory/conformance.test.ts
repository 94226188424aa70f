import { runCases, sharedStateCases } from "@vmx/core/conformance";
import { createMemoryState } from "./memory-state.ts";

let now = 0;

await runCases(
  "shared state memory",
  sharedStateCases({
    create: () => Promise.resolve(createMemoryState({ monotonic: () => now })),
    advance(ms) {
      now += ms;
      return Promise.resolve();
    },
  }),
);
