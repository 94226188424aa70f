import { afterAll, beforeAll, expect, test } from "vitest";
import type { Database } from "./database.ts";
import { pruneExpired } from "./prune.ts";
import { readDelta } from "./snapshot-rows.ts";
import { startTestDatabase, type TestDatabase } from "./testing.ts";

const dayMs = 86_400_000;
const now = Date.UTC(2026, 5, 1);
const at = (days: number) => new Date(now + days * dayMs);
let server: TestDatabase;
let database: Database;

beforeAll(async () => {
  server = await startTestDatabase();
  database = await server.open();
}, 30_000);
afterAll(() => server.stop());

const write = (text: string, values: unknown[]) =>
  database.statements.write(text.replaceAll("$schema", database.statements.schema), values);
const column = async (table: string, name: string) =>
  (await write(`select ${name} as value from $schema.${table} order by 1`, []))
    .map(({ value }) => value);

test("what has expired goes and everything else stays", async () => {
  const userId = "00000000-0000-4000-8000-000000000001";
  await write(
    `insert into $schema.users (user_id, username, email, name, first_name, last_name, revision)
     values ($1, 'ann', 'ann@example.com', 'Ann', 'Ann', 'A', 0)`,
    [userId],
  );
  for (const [name, days] of [["over", -0.001], ["running", 0.001]] as const) {
    await write(
      `insert into $schema.sessions (session_hash, user_id, csrf_token, expires_at)
       values ($1, $2, 'c', $3)`,
      [name, userId, at(days)],
    );
    await write(
      `insert into $schema.idempotency_keys (caller, key, request_hash, expires_at)
       values ('ann', $1, 'h', $2)`,
      [name, at(days)],
    );
  }
  for (const days of [-401, -399]) {
    await write(
      `insert into $schema.activity_entries (revision, at, via, action, entity_type, entity_id, entity_name)
       values (1, $1, 'api', 'a', 't', $2, 'n')`,
      [at(days), String(days)],
    );
  }
  const [workspaceId, environmentId] = [crypto.randomUUID(), crypto.randomUUID()];
  await write("insert into $schema.workspaces (workspace_id, name) values ($1, 'w')", [
    workspaceId,
  ]);
  await write(
    "insert into $schema.environments (environment_id, workspace_id, name) values ($1, $2, 'e')",
    [environmentId, workspaceId],
  );
  for (const [name, days] of [["rolled-long-ago", -0.001], ["rolled-lately", 0.001]] as const) {
    await write(
      `insert into $schema.api_keys
         (api_key_id, environment_id, name, masked_key, hash, previous_hash, previous_valid_until)
       values (gen_random_uuid(), $1, $2, 'm', $2, 'hash before ' || $2, $3)`,
      [environmentId, name, at(days)],
    );
  }
  expect(await pruneExpired(database.statements, now)).toEqual({
    sessions: 1,
    idempotency_keys: 1,
    api_keys: 1,
    activity_entries: 1,
    tombstones: 0,
  });
  expect(await column("api_keys", "previous_hash")).toEqual(["hash before rolled-lately", null]);
  expect(await column("api_keys", "hash")).toEqual(["rolled-lately", "rolled-long-ago"]);
  expect(await column("sessions", "session_hash")).toEqual(["running"]);
  expect(await column("idempotency_keys", "key")).toEqual(["running"]);
  expect(await column("activity_entries", "entity_id")).toEqual(["-399"]);
});

test("who is older than the tombstones that went reads everything, all others only what changed", async () => {
  await write(
    `insert into $schema.tombstones (revision, entity_type, entity_id, at)
     values (3, 'AiConnection', 'old', $1), (4, 'AiConnection', 'old', $1), (5, 'AiConnection', 'new', $2)`,
    [at(-8), at(-6)],
  );
  await write("update $schema.revision set revision = 6", []);
  expect(await pruneExpired(database.statements, now)).toMatchObject({ tombstones: 2 });
  expect(await column("revision", "pruned_revision::int")).toEqual([4]);
  const [epoch] = await column("revision", "epoch");
  const since = (revision: number) => readDelta(database, { revision, epoch: String(epoch) });
  expect(await since(3)).toMatchObject({ isFull: true, deleted: [] });
  expect(await since(4)).toMatchObject({ isFull: false, deleted: [{ entityId: "new" }] });
  // Nothing goes a second time, and what was noted stays.
  expect(await pruneExpired(database.statements, now)).toMatchObject({ tombstones: 0 });
  expect(await column("revision", "pruned_revision::int")).toEqual([4]);
});

test("many rows go in several steps, also when two processes prune at once", async () => {
  await write(
    `insert into $schema.activity_entries (revision, at, via, action, entity_type, entity_id, entity_name)
     select 1, $1, 'api', 'a', 't', 'many', 'n' from generate_series(1, 12000)`,
    [at(-500)],
  );
  const both = await Promise.all([1, 2].map(() => pruneExpired(database.statements, now)));
  const gone = both.map(({ activity_entries }) => activity_entries!);
  expect(gone[0]! + gone[1]!).toBe(12_000);
  expect(await column("activity_entries", "entity_id")).toEqual(["-399"]);
});
