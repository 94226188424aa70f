import { beginSequence, playStep, type Sequence, type SequenceStep } from "@vmx/core/conformance";
import fc from "fast-check";
import { openStore } from "../testing.ts";

const byte = fc.nat(255);

/** One command of a sequence: any step, at any time. */
const command = fc.tuple(byte, byte, byte, byte).map((step: SequenceStep) => ({
  check: () => true,
  run: (_model: object, sequence: Sequence) => playStep(sequence, step),
  toString: () => JSON.stringify(step),
}));

const minute = () => Math.floor(Date.now() / 60_000);

/** Holds the store against the reference in random sequences of at most 40 steps, each in an environment of its own. */
export async function playSequences(url: string, numRuns: number): Promise<void> {
  const { store, connection } = await openStore(url);
  let played = 0;
  await fc.assert(
    fc.asyncProperty(fc.commands([command], { maxCommands: 40, size: "max" }), async (commands) => {
      const begun = minute();
      const environmentId = `sequence-${++played}`;
      if (played % 500 === 0) await connection.client.flushdb();
      try {
        await fc.asyncModelRun(
          () => ({ model: {}, real: beginSequence(store, environmentId, Date.now) }),
          commands,
        );
      } catch (error) {
        // The server's clock went on to the next minute between a step and its check.
        if (minute() === begun) throw error;
      }
    }),
    { numRuns },
  );
  await store.close();
}
