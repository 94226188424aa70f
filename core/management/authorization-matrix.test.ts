import { afterAll, beforeAll, expect, test } from "vitest";
import {
  idBodies,
  idQueries,
  operations,
  personIdBodies,
  unreadQueries,
} from "./authorization-table.ts";
import {
  comparable,
  createMatrixWorld,
  expectedAnswer,
  type MatrixWorld,
  missingEntry,
  type Operation,
  play,
  readOperations,
  targets,
} from "./testing-matrix.ts";
import { startTestManagement, type TestManagement } from "./testing.ts";

const all = readOperations();
let plane: TestManagement;
let world: MatrixWorld;

beforeAll(async () => {
  plane = await startTestManagement();
  world = await createMatrixWorld(plane);
});
afterAll(() => plane.stop());

test("every operation of the OpenAPI document stands in the reviewed table, and as it is reviewed", () => {
  const missing = all.filter(({ operationId }) => operations[operationId] === undefined);
  expect(missing.map(missingEntry), missing.map(missingEntry).join("\n")).toEqual([]);
  const told = all.map(({ operationId, access }) => [operationId, access]);
  const reviewed = all.map(({ operationId }) => [
    operationId,
    operations[operationId]!.replace(/^self.*/, "self"),
  ]);
  expect(told).toEqual(reviewed);
});

// Every caller at the own target, and those who decide most at all others; the rest is in the long tests.
const covering = new Set(["member", "foreign"]);

test("a covering part of the matrix: every operation, every caller, every target", {
  timeout: 60_000,
}, async () => {
  const before = await world.digest();
  const wrong: string[] = [];
  let cells = 0;
  const played = all.filter(({ method }) => method !== "PUT");
  await inTurns(played, async (operation) => {
    for (const caller of world.callers) {
      for (const target of targets) {
        if (target !== "own" && !covering.has(caller.name)) continue;
        cells++;
        const expected = expectedAnswer(operation, caller, target);
        const answered = await play(world, operation, caller, target);
        if (answered !== expected) {
          wrong.push(
            `${operation.method} ${operation.path} by ${caller.name} at ${target}: ` +
              `${answered} instead of ${expected}`,
          );
        }
      }
    }
  });
  expect(wrong).toEqual([]);
  expect(cells).toBeGreaterThan(played.length * 20);
  expect(await world.digest()).toEqual(before);
});

test("what lies in another workspace, what never existed and what is no id are answered alike", async () => {
  const owner = world.callers.find(({ name }) => name === "owner")!;
  const { foreign, absent } = world;
  const scoped = all.filter(({ parameters }) => parameters.length > 0);
  await inTurns(scoped, async (operation) => {
    const answer = async (path: string) =>
      comparable(
        await plane.send(
          operation.method,
          path,
          operation.method === "GET" || operation.method === "DELETE" ? undefined : "{}",
          owner.headers,
        ),
        {},
      );
    if (operation.parameters.includes("workspaceId")) {
      const [other, never, malformed] = await Promise.all(
        (["other", "absent", "malformed"] as const).map((target) =>
          answer(world.pathTo(operation, target))
        ),
      );
      expect(other, operation.operationId).toEqual(never);
      expect(malformed, operation.operationId).toEqual(never);
    }
    // The same for an object's id below the caller's own environment.
    const last = operation.parameters.at(-1) as keyof typeof foreign;
    if (!(last in foreign)) return;
    const own = world.pathTo(operation, "own");
    const swap = (id: string) => own.replace(world.own[last], id);
    const other = await answer(swap(foreign[last]));
    expect(other[0], operation.operationId).toBe(404);
    expect(other, operation.operationId).toEqual(await answer(swap(absent[last])));
    expect(other, operation.operationId).toEqual(await answer(swap("not-an-id")));
  });
});

test("ids in bodies reach no other workspace, and tell nothing about it", async () => {
  const withIds = all.filter(({ hasIdsInBody, method }) => hasIdsInBody && method !== "PUT");
  const unreviewed = withIds.map(({ operationId }) => operationId)
    .filter((id) => idBodies[id] === undefined && !personIdBodies.has(id));
  expect(
    unreviewed,
    `Add ${unreviewed.join(", ")} to \`idBodies\` in core/management/authorization-table.ts`,
  ).toEqual([]);
  const before = await world.digest();
  for (const operation of withIds) {
    for (const [index, body] of (idBodies[operation.operationId] ?? []).entries()) {
      const owner = world.callers.find(({ name }) => name === "owner")!;
      const [foreign, absent] = await Promise.all(
        [world.foreign, world.absent].map(async (ids) =>
          comparable(
            await plane.send(
              operation.method,
              world.pathTo(operation, "own"),
              body(ids),
              owner.headers,
            ),
            ids as unknown as Record<string, string>,
          )
        ),
      );
      const named = `${operation.operationId}, body ${index}`;
      expect(foreign, named).toEqual(absent);
      expect(foreign![0], `${named}: ${foreign![1]}`).toBeGreaterThanOrEqual(400);
      expect(foreign![0], `${named}: ${foreign![1]}`).toBeLessThan(500);
      // Refused for the id, not for a fault in the body.
      expect(foreign![1], named).not.toContain("must NOT have additional properties");
    }
  }
  expect(await world.digest()).toEqual(before);
});

test("ids in queries find nothing of another workspace, and tell nothing about it", async () => {
  const owner = world.callers.find(({ name }) => name === "owner")!;
  for (const operation of all.filter(({ method }) => method === "GET")) {
    for (const name of operation.idsInQuery) {
      const id = idQueries[name];
      expect(id, `Add ${name} to \`idQueries\` in authorization-table.ts`).toBeDefined();
      if (unreadQueries.has(operation.operationId)) continue;
      const ask = async (value: string) => {
        const path = `${world.pathTo(operation, "own")}?${name}=${value}`;
        const answer = await plane.send("GET", path, undefined, owner.headers);
        const [status, text] = comparable(answer, {});
        const told = answer.body === undefined ? answer.text : String(text);
        return [status, told.replaceAll(value, "").replace(/[\d-]{10}T[\d:.]+Z/g, "")];
      };
      const named = `${operation.operationId} ${name}`;
      expect(await ask(id!(world.foreign)), named).toEqual(await ask(id!(world.absent)));
    }
  }
});

test("what is somebody's own, nobody else reaches", async () => {
  const [admin, member] = ["admin", "member"].map((wanted) =>
    world.callers.find(({ name }) => name === wanted)!
  );
  const tokens = "/api/v1/me/tokens";
  const { body } = await plane.send("GET", tokens, undefined, member!.headers);
  const [{ tokenId }] = body.data;
  const end = async (id: string) =>
    comparable(await plane.send("DELETE", `${tokens}/${id}`, undefined, admin!.headers), {});
  expect(await end(tokenId)).toEqual(await end(crypto.randomUUID()));
  expect((await end(tokenId))[0]).toBe(404);
  expect((await plane.send("GET", tokens, undefined, member!.headers)).body).toEqual(body);
});

test("what one caller may do is not decided by who came before", async () => {
  const read = all.find(({ operationId }) => operationId === "getAiConnection")!;
  const people = ["owner", "foreign", "admin"].map((wanted) =>
    world.callers.find(({ name }) => name === wanted)!
  );
  const calls = Array.from({ length: 100 }, (_, index) => ({
    caller: people[index % 3]!,
    target: index % 2 === 0 ? "own" as const : "other" as const,
  }));
  await Promise.all(calls.map(async ({ caller, target }) => {
    expect(await play(world, read, caller, target)).toBe(expectedAnswer(read, caller, target));
  }));
});

async function inTurns(
  list: readonly Operation[],
  work: (operation: Operation) => Promise<void>,
): Promise<void> {
  const queue = [...list];
  await Promise.all(Array.from({ length: 6 }, async () => {
    for (let next = queue.shift(); next; next = queue.shift()) await work(next);
  }));
}
