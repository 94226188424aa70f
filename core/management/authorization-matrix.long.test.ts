import { expect, test } from "vitest";
import {
  createMatrixWorld,
  expectedAnswer,
  play,
  readOperations,
  targets,
} from "./testing-matrix.ts";
import { startTestManagement } from "./testing.ts";

test("the whole matrix: every operation, every caller, every target, cold and warm", async () => {
  const plane = await startTestManagement();
  try {
    const world = await createMatrixWorld(plane);
    const before = await world.digest();
    const wrong: string[] = [];
    let cells = 0;
    for (const round of ["cold", "warm"]) {
      for (const operation of readOperations()) {
        await Promise.all(targets.map(async (target) => {
          for (const caller of world.callers) {
            cells++;
            const expected = expectedAnswer(operation, caller, target);
            const answered = await play(world, operation, caller, target);
            if (answered === expected) continue;
            wrong.push(
              `${operation.method} ${operation.path} by ${caller.name} at ${target}, ${round}: ` +
                `${answered} instead of ${expected}`,
            );
          }
        }));
      }
    }
    expect(wrong).toEqual([]);
    expect(cells).toBeGreaterThan(10_000);
    expect(await world.digest()).toEqual(before);
  } finally {
    await plane.stop();
  }
});
