import { afterAll, beforeAll, expect, test } from "vitest";
import { type Actor, change } from "./change.ts";
import { type Database, openDatabase } from "./database.ts";
import { violatedConstraint } from "./database-error.ts";
import {
  ActivityEntry,
  AiConnection,
  configurationEntities,
  entities,
  Environment,
  IdempotencyKey,
  Revision,
  Tombstone,
  User,
  Workspace,
} from "./entities/index.ts";
import { knownMigrations } from "./migrate.ts";
import { migrationsList } from "./migrations/index.ts";
import { silentLog, startTestDatabase, type TestDatabase } from "./testing.ts";

let server: TestDatabase;
let database: Database;

beforeAll(async () => {
  server = await startTestDatabase();
  database = await server.open();
}, 30_000);
afterAll(() => server.stop());

const userId = "00000000-0000-4000-8000-000000000001";
const actor: Actor = { userId, via: "api", requestId: "r1", sourceIp: "127.0.0.1" };

test("every entity has the columns its table has, and none is missing", async () => {
  for (const { meta } of entities) {
    const rows: { column_name: string }[] = await database.em().execute(
      "select column_name from information_schema.columns where table_schema = ? and table_name = ?",
      ["vmx", meta.tableName],
    );
    const mapped = database.orm.getMetadata().get(meta.class).props.flatMap((one) =>
      one.fieldNames
    );
    expect(rows.map((row) => row.column_name).sort()).toEqual([...mapped].sort());
  }
});

test("several processes that migrate at once run each migration once", async () => {
  const handles = await Promise.all(
    Array.from(
      { length: 4 },
      () => openDatabase({ url: server.url, schema: "together", poolMax: 2 }, silentLog),
    ),
  );
  const ran = await Promise.all(handles.map((one) => one.migrate()));
  expect(ran.flat()).toEqual([...knownMigrations]);
  expect(await handles[0]!.migrate()).toEqual([]);
  await Promise.all(handles.map((one) => one.close()));
});

test("the names the start compares are those of the migrations", () => {
  expect(migrationsList.map((one) => one.name)).toEqual([...knownMigrations]);
});

test("a schema newer than understood is refused in a plain sentence", async () => {
  const newer = await server.open("newer");
  await newer.em().execute("insert into newer.migrations (name) values ('9999-future')");
  await expect(newer.migrate()).rejects.toThrow(
    "Cannot use the database: its schema is newer than this version of the gateway understands " +
      "(migration 9999-future)",
  );
});

test("a change stamps what it touches, writes its activity and raises the revision once", async () => {
  const before = await revision();
  const created = await change(database, actor, async (running) => {
    const { em } = running;
    const workspace = em.create(Workspace, { name: "stamped" });
    const environment = em.create(Environment, {
      workspaceId: workspace.workspaceId,
      name: "default",
    });
    // Children first: nobody has to know the order.
    em.persist([environment, workspace]);
    running.record({
      action: "workspace:create",
      entity: { type: "workspace", id: workspace.workspaceId, name: "stamped" },
    });
    return workspace;
  });
  expect(created.revision).toBe(before + 1);
  expect(await revision()).toBe(before + 1);
  expect(created.result).toMatchObject({ version: 1, revision: before + 1, createdBy: userId });

  const { workspaceId } = created.result;
  const updated = await change(database, { ...actor, userId: null }, async ({ em }) => {
    const workspace = await em.findOneOrFail(Workspace, workspaceId);
    workspace.description = "first";
    await em.flush();
    workspace.description = "second";
    return workspace;
  });
  expect(updated.result).toMatchObject({
    version: 2,
    revision: before + 2,
    createdBy: userId,
    updatedBy: null,
  });
  const [entry] = await database.em().find(ActivityEntry, { entityId: workspaceId });
  expect(entry).toMatchObject({ revision: before + 1, via: "api", requestId: "r1", diff: [] });
});

test("a change that changes nothing raises nothing", async () => {
  const before = await revision();
  const { result } = await change(database, actor, async ({ em }) => {
    const workspace = em.create(Workspace, { name: "same" });
    em.persist(workspace);
    return workspace;
  });
  const again = await change(database, actor, async ({ em }) => {
    const workspace = await em.findOneOrFail(Workspace, result.workspaceId);
    workspace.name = "same";
    return workspace;
  });
  expect(again).toMatchObject({ revision: before + 1, result: { version: 1 } });
  expect(await revision()).toBe(before + 1);
});

test("deleting leaves a tombstone and takes everything below along", async () => {
  const { result } = await change(database, actor, async ({ em }) => {
    const workspace = em.create(Workspace, { name: "doomed" });
    const { workspaceId } = workspace;
    const environment = em.create(Environment, { workspaceId, name: "default" });
    const { environmentId } = environment;
    const connection = em.create(AiConnection, { environmentId, name: "c", provider: "echo" });
    em.persist([workspace, environment, connection]);
    return { workspaceId, environmentId };
  });
  const gone = await change(database, actor, async ({ em }) => {
    em.remove(await em.findOneOrFail(Workspace, result.workspaceId));
  });
  const em = database.em();
  expect(await em.find(Tombstone, { revision: gone.revision })).toMatchObject([
    { entityType: "Workspace", entityId: result.workspaceId },
  ]);
  expect(await em.count(Environment, { workspaceId: result.workspaceId })).toBe(0);
  expect(await em.count(AiConnection, { environmentId: result.environmentId })).toBe(0);
});

test("a failed change writes nothing and leaves the revision alone", async () => {
  const before = await revision();
  const failing = change(database, actor, async ({ em }) => {
    em.persist(em.create(Workspace, { name: "never" }));
    await em.flush();
    throw new Error("no");
  });
  await expect(failing).rejects.toThrow("no");
  expect(await revision()).toBe(before);
  expect(await database.em().count(Workspace, { name: "never" })).toBe(0);
});

test("under concurrency a reader never sees a revision before the rows of all smaller ones", async () => {
  const other = await server.open();
  const before = await revision();
  let isDone = false;
  const writers = Promise.all(
    Array.from(
      { length: 30 },
      (_, index) =>
        change(index % 2 ? database : other, actor, async ({ em }) => {
          em.persist(em.create(Workspace, { name: `ordered ${index}` }));
        }),
    ),
  ).finally(() => isDone = true);
  let looks = 0;
  while (!isDone) {
    const [row]: { revision: string; count: string }[] = await database.em().execute(
      `select revision, (select count(*) from vmx.workspaces where name like 'ordered %') as count
       from vmx.revision`,
    );
    expect(Number(row!.count)).toBe(Number(row!.revision) - before);
    looks++;
  }
  const revisions = (await writers).map((one) => one.revision).sort((a, b) => a - b);
  expect(revisions).toEqual(Array.from({ length: 30 }, (_, index) => before + 1 + index));
  expect(looks).toBeGreaterThan(0);
});

test("names are unique whatever their case, within one parent, and the fault names its constraint", async () => {
  const create = (name: string) =>
    change(database, actor, async ({ em }) => em.persist(em.create(Workspace, { name })));
  await create("Straße Ä");
  const fault = await create("STRASSE Ä").catch((error) => error);
  expect(fault).not.toBeInstanceOf(Error);
  const clash = await create("straße ä").catch((error: unknown) => error);
  expect(violatedConstraint(clash)).toBe("workspaces_name_unique");
  expect(violatedConstraint(new Error("other"))).toBeUndefined();
});

test("configuration written past change() is refused", async () => {
  const em = database.em();
  em.persist(em.create(Workspace, { name: "past" }));
  await expect(em.flush()).rejects.toThrow(
    "Cannot write Workspace: it is configuration, use change()",
  );
});

test("what is not configuration is written without a change", async () => {
  const before = await revision();
  const em = database.em();
  em.persist(em.create(IdempotencyKey, {
    caller: "c",
    key: "k",
    requestHash: "h",
    expiresAt: new Date(Date.now() + 1_000),
  }));
  await em.flush();
  expect(await revision()).toBe(before);
});

test("configuration entities carry version and revision, and hidden columns stay out of JSON", async () => {
  for (const { meta } of configurationEntities) {
    expect(Object.keys(meta.properties)).toEqual(expect.arrayContaining(["version", "revision"]));
  }
  const { result } = await change(database, actor, async ({ em }) => {
    const person = { username: "u", email: "u@x", name: "u", firstName: "u", lastName: "u" };
    const user = em.create(User, { ...person, passwordHash: "$argon2id$" });
    em.persist(user);
    return user;
  });
  expect(JSON.stringify(result)).not.toContain("argon2id");
});

test("statements are counted, so that a path can be shown to send none", async () => {
  const before = database.queryCount();
  await database.ping();
  expect(database.queryCount()).toBe(before + 1);
  database.em();
  expect(database.queryCount()).toBe(before + 1);
});

test("a database that is away is told apart from a wrong statement", async () => {
  for (
    const url of ["postgresql://u@127.0.0.1:1/x", "postgresql://u@localhost/x?host=%2Fnowhere"]
  ) {
    const away = openDatabase({ url, schema: "vmx", poolMax: 1 }, silentLog);
    await expect(away.ping()).rejects.toMatchObject({ code: "DATABASE_UNAVAILABLE", status: 503 });
    await expect(away.migrate()).rejects.toMatchObject({ code: "DATABASE_UNAVAILABLE" });
    await away.close();
  }
  await expect(database.transaction((em) => em.execute("select nonsense")))
    .rejects.toMatchObject({ code: "42703" });
});

test("a setting that cannot be used is named without its value's secret", () => {
  const open = (url: string, schema: string) => () =>
    openDatabase({ url, schema, poolMax: 1 }, silentLog);
  expect(open("mysql://u:hush@h/x", "vmx")).toThrow(/DATABASE_URL must look like postgresql:/);
  expect(open("mysql://u:hush@h/x", "vmx")).not.toThrow(/hush/);
  expect(open(server.url, 'x"; drop')).toThrow(/schema .* must be 1 to 63 lower-case letters/);
});

async function revision(): Promise<number> {
  return (await database.em().findOneOrFail(Revision, 1)).revision;
}
