import fc from "fast-check";
import { beginSequence, playStep, type Sequence, type SequenceStep } from "@vmx/core/conformance";
import { createMemoryStore } from "./memory-store.ts";

const byte = fc.nat(255);

/** One command of a sequence: any step, at any time. */
const command = fc.tuple(byte, byte, byte, byte).map((step: SequenceStep) => ({
  check: () => true,
  run: (_model: object, sequence: Sequence) => playStep(sequence, step),
  toString: () => JSON.stringify(step),
}));

/** Holds the store against the reference in random sequences of at most 60 steps. */
export async function playSequences(numRuns: number): Promise<void> {
  await fc.assert(
    fc.asyncProperty(fc.commands([command], { maxCommands: 60, size: "max" }), async (commands) => {
      let now = Date.parse("2026-03-31T23:58:12.345Z");
      const clock = () => now;
      const store = createMemoryStore({ now: clock });
      const turn = (ms: number) => void (now += ms);
      await fc.asyncModelRun(
        () => ({ model: {}, real: beginSequence(store, "env", clock, turn) }),
        commands,
      );
    }),
    { numRuns },
  );
}
