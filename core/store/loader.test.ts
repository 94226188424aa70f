import { afterAll, beforeAll, expect, test } from "vitest";
import { Secret } from "../kit/secret.ts";
import { type Actor, change } from "./change.ts";
import { type Database, openDatabase } from "./database.ts";
import {
  AiConnection,
  AiResource,
  ApiKey,
  ApiKeyAssignment,
  Environment,
  Role,
  RoleAssignment,
  User,
  Workspace,
  WorkspaceMember,
} from "./entities/index.ts";
import { createSnapshotLoader, type SnapshotLoader } from "./loader.ts";
import type { OpenSecret, SecretContext } from "./snapshot.ts";
import { createSnapshotFile, type SnapshotFile } from "./snapshot-file.ts";
import { silentLog, startTestDatabase, type TestDatabase } from "./testing.ts";

let server: TestDatabase;
let schemas = 0;

beforeAll(async () => {
  server = await startTestDatabase();
}, 30_000);
afterAll(() => server.stop());

const actor: Actor = { userId: null, via: "bootstrap" };

test("a change made through one handle is served by another process's loader within a poll", async () => {
  const { schema, database } = await installation();
  const other = await server.open(schema);
  const loader = loaderOf(other, { pollMs: 20 });
  await loader.start();
  const arrived = new Promise((resolve) => loader.onChange(resolve));

  const { environmentId } = await seed(database);
  await arrived;

  const environment = loader.current().environments.get(environmentId)!;
  expect(environment.connectionsByName.get("main")?.config).toMatchObject({ region: "eu" });
  expect(environment.settings).toMatchObject({ allowAdHoc: false, onLoss: "warn" });
  expect(environment.resourcesByName.get("chat")?.assignedApiKeys.size).toBe(1);
  expect([...loader.current().apiKeysByHash.keys()].sort()).toEqual(["hash-new", "hash-old"]);
  expect(loader.current().apiKeysByHash.get("hash-old")?.validUntil).toBeInstanceOf(Date);
  expect(loader.state()).toMatchObject({ status: "ready", revision: 1, unopened: 0 });
  await loader.stop();
});

test("secret fields arrive as Secret values, opened with the place they belong to", async () => {
  const { database } = await installation();
  const contexts: SecretContext[] = [];
  const openSecret: OpenSecret = (sealed, context) => {
    contexts.push(context);
    return openSealed(sealed, context);
  };
  const { environmentId, connectionId } = await seed(database);
  const loader = loaderOf(database, { openSecret });
  const snapshot = await loader.refresh();

  const config = snapshot.environments.get(environmentId)!.connections.get(connectionId)!.config!;
  expect(config.apiKey).toBeInstanceOf(Secret);
  expect((config.apiKey as Secret).reveal()).toBe("k1");
  expect((config.headers as { token: Secret }).token.reveal()).toBe("t1");
  expect(contexts).toEqual([
    { environmentId, connectionId, field: "apiKey" },
    { environmentId, connectionId, field: "headers.token" },
  ]);
});

test("only changed ciphertext is opened, and views of unchanged rows stay the same objects", async () => {
  const { database } = await installation();
  const opened: string[] = [];
  const { workspaceId, environmentId, connectionId } = await seed(database);
  const second = await seed(database, "two");
  const loader = loaderOf(database, {
    openSecret: (sealed, context) => {
      opened.push(sealed);
      return openSealed(sealed, context);
    },
  });
  const before = await loader.refresh();
  opened.length = 0;

  await change(database, actor, async ({ em }) => {
    const row = await em.findOneOrFail(AiConnection, connectionId);
    row.config = { ...row.config, apiKey: "sealed:k2" };
  });
  const after = await loader.refresh();

  expect(opened).toEqual(["sealed:k2"]);
  const [was, is] = [before, after].map((one) => one.environments.get(environmentId)!);
  expect(is!.connections.get(connectionId)).not.toBe(was!.connections.get(connectionId));
  expect(is!.resourcesByName.get("chat")).toBe(was!.resourcesByName.get("chat"));
  expect(after.workspaces.get(workspaceId)).toBe(before.workspaces.get(workspaceId));
  expect(after.environments.get(second.environmentId))
    .toBe(before.environments.get(second.environmentId));
  expect(after.apiKeysByHash.get("hash-new")).toBe(before.apiKeysByHash.get("hash-new"));
  expect(was!.connections.get(connectionId)!.version).toBe(1);
  expect(is!.connections.get(connectionId)!.version).toBe(2);
});

test("deletions are seen, with everything below what was deleted", async () => {
  const { database } = await installation();
  const ids = await seed(database);
  const loader = loaderOf(database);
  await loader.refresh();

  await remove(database, ApiKeyAssignment, { apiKeyId: ids.apiKeyId });
  const unassigned = (await loader.refresh()).environments.get(ids.environmentId)!;
  expect(unassigned.resourcesByName.get("chat")!.assignedApiKeys.size).toBe(0);

  await remove(database, User, { userId: ids.userId });
  expect((await loader.refresh()).users.size).toBe(0);
  expect(loader.current().workspaces.get(ids.workspaceId)!.members.size).toBe(0);

  await remove(database, Workspace, { workspaceId: ids.workspaceId });
  const empty = await loader.refresh();
  expect([empty.workspaces, empty.environments, empty.apiKeysByHash].map((map) => map.size))
    .toEqual([0, 0, 0]);
});

test("a row deleted and made again between two loads is there", async () => {
  const { database } = await installation();
  const ids = await seed(database);
  const loader = loaderOf(database);
  await loader.refresh();
  const { apiKeyId, resourceId } = ids;
  await remove(database, ApiKeyAssignment, { apiKeyId });
  await change(database, actor, async ({ em }) => {
    em.persist(em.create(ApiKeyAssignment, { apiKeyId, resourceId }));
  });

  const environment = (await loader.refresh()).environments.get(ids.environmentId)!;
  expect([...environment.resourcesByName.get("chat")!.assignedApiKeys]).toEqual([apiKeyId]);
});

test("observed fields raise neither version nor revision and reload nothing", async () => {
  const { database } = await installation();
  const { connectionId, apiKeyId } = await seed(database);
  const loader = loaderOf(database);
  const before = await loader.refresh();

  const em = database.em();
  await em.nativeUpdate(ApiKey, { apiKeyId }, { lastUsedAt: new Date() });
  const connection = await em.findOneOrFail(AiConnection, connectionId);
  connection.lastTest = { at: new Date().toISOString(), ok: true, latencyMs: 5 };
  await em.flush();

  expect(await loader.refresh()).toBe(before);
  const stored = await database.em().findOneOrFail(AiConnection, connectionId);
  expect(stored).toMatchObject({ version: 1, lastTest: { ok: true } });
});

test("a secret that does not open blocks only its own connection and is tried again", async () => {
  const { database } = await installation();
  const broken = await seed(database);
  const healthy = await seed(database, "two");
  let isBroken = true;
  const loader = loaderOf(database, {
    pollMs: 1,
    openSecret: (sealed, context) =>
      isBroken && context.connectionId === broken.connectionId
        ? Promise.reject(new Error("the key is away"))
        : openSealed(sealed, context),
  });
  const view = (ids: Ids) =>
    loader.current().environments.get(ids.environmentId)!.connections.get(ids.connectionId)!;

  await loader.refresh();
  expect(view(broken)).toMatchObject({
    config: undefined,
    credentialError: 'Cannot open secret "apiKey": the key is away',
  });
  expect(view(healthy).config).toBeDefined();
  expect(loader.state()).toMatchObject({ status: "ready", unopened: 1 });

  isBroken = false;
  await expect.poll(async () => {
    await loader.refresh();
    return view(broken).config;
  }).toBeDefined();
  expect(view(broken).credentialError).toBeUndefined();
  expect(loader.state().unopened).toBe(0);
});

test("a secret that never opens does not hold up the load", async () => {
  const { database } = await installation();
  const ids = await seed(database);
  const loader = loaderOf(database, { openTimeoutMs: 20, openSecret: () => new Promise(() => {}) });
  const snapshot = await loader.refresh();
  expect(snapshot.environments.get(ids.environmentId)!.connections.get(ids.connectionId))
    .toMatchObject({ credentialError: 'Cannot open secret "apiKey": no answer within 20 ms' });
});

test("loads asked for at once share one, and each sees what was committed before it was asked", async () => {
  const { database } = await installation();
  const loader = loaderOf(database);
  await loader.refresh();
  const writes = Array.from({ length: 20 }, (_, index) => index).map(async (index) => {
    const { revision } = await change(database, actor, async ({ em }) => {
      em.persist(em.create(Workspace, { name: `w${index}` }));
    });
    expect((await loader.refresh()).revision).toBeGreaterThanOrEqual(revision);
  });
  await Promise.all(writes);
  expect(loader.current().workspaces.size).toBe(20);
});

test("a database with another history is read from the start", async () => {
  const { schema, database } = await installation();
  await seed(database);
  const loader = loaderOf(database);
  await loader.refresh();
  await database.em().execute(`delete from "${schema}".workspaces`);
  await database.em().execute(`update "${schema}".revision set epoch = gen_random_uuid()`);
  expect((await loader.refresh()).workspaces.size).toBe(0);
});

test(
  "a start without the database serves the configuration kept on disk",
  async () => {
    const own = await startTestDatabase();
    const database = await own.open();
    const ids = await seed(database);
    const file = () =>
      createSnapshotFile({
        path: `${own.dataDir}/configuration`,
        seal: (plain) => Promise.resolve(Buffer.from(plain).toString("base64")),
        open: (sealed) => Promise.resolve(Buffer.from(sealed, "base64")),
        log: silentLog,
      });
    const loader = loaderOf(database, { pollMs: 10, file: file() });
    await loader.start();
    const dead = await deadDatabase();
    const next = loaderOf(dead, { pollMs: 10, file: file() });
    await loader.stop();
    await next.start();

    expect(next.state()).toMatchObject({ status: "degraded", revision: 1, confirmedAt: undefined });
    const environment = next.current().environments.get(ids.environmentId)!;
    expect((environment.connectionsByName.get("main")!.config!.apiKey as Secret).reveal()).toBe(
      "k1",
    );
    expect(next.current().apiKeysByHash.get("hash-old")!.validUntil).toBeInstanceOf(Date);
    await expect(next.refresh()).rejects.toMatchObject({ code: "DATABASE_UNAVAILABLE" });
    await next.stop();
    await dead.close();
    await own.stop();
  },
  30_000,
);

test("a host nobody knows ends a first start, and is waited for once a configuration is kept", async () => {
  const url = `postgres://vmx@${"n".repeat(64)}.invalid/vmx`;
  const nowhere = openDatabase({ url, schema: "vmx", poolMax: 2 }, silentLog);
  const first = loaderOf(nowhere, { pollMs: 60_000 });
  await expect(first.start()).rejects.toMatchObject({
    code: "DATABASE_UNAVAILABLE",
    cause: { code: "ENOTFOUND" },
  });
  await first.stop();
  const kept = { revision: 3, epoch: "e", isFull: true, rows: {}, deleted: [] };
  const file = { read: () => Promise.resolve(kept), keep() {}, flush: () => Promise.resolve() };
  const next = loaderOf(nowhere, { pollMs: 60_000, file: file as unknown as SnapshotFile });
  await next.start();
  expect(next.state()).toMatchObject({ status: "degraded", revision: 3 });
  await next.stop();
  await nowhere.close();
});

test("without database and file the loader stays starting and keeps trying", async () => {
  const dead = await deadDatabase();
  let attempts = 0;
  const loader = loaderOf(dead, { pollMs: 1, prepare: async () => void attempts++ });
  await loader.start();
  expect(loader.state()).toMatchObject({ status: "starting", error: "Cannot reach the database" });
  expect(loader.current().revision).toBe(0);
  expect(attempts).toBe(1);
  await loader.stop();
  await dead.close();
});

test("a database that refuses turns the state to degraded, and back when it answers", async () => {
  const { database } = await installation();
  await seed(database);
  let isAway = false;
  const flaky: Database = {
    ...database,
    em() {
      if (isAway) throw Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });
      return database.em();
    },
  };
  const loader = loaderOf(flaky, { pollMs: 1 });
  await loader.start();
  isAway = true;
  await expect.poll(() => loader.state().status).toBe("degraded");
  expect(loader.current().workspaces.size).toBe(1);
  isAway = false;
  await expect.poll(() => loader.state().status).toBe("ready");
  await loader.stop();
});

interface Ids {
  workspaceId: string;
  environmentId: string;
  connectionId: string;
  resourceId: string;
  apiKeyId: string;
  userId: string;
}

async function installation(): Promise<{ schema: string; database: Database }> {
  const schema = `loader_${schemas++}`;
  return { schema, database: await server.open(schema) };
}

async function deadDatabase(): Promise<Database> {
  const url = "postgresql://vmx@localhost/postgres?host=%2Fnowhere";
  return openDatabase({ url, schema: "vmx", poolMax: 1 }, silentLog);
}

function loaderOf(
  database: Database,
  options: Partial<Parameters<typeof createSnapshotLoader>[0]> = {},
): SnapshotLoader {
  return createSnapshotLoader({
    database,
    openSecret: openSealed,
    secretFields: () => ["apiKey", "headers.token", "absent"],
    pollMs: 10,
    log: silentLog,
    ...options,
  });
}

function openSealed(sealed: string, _context: SecretContext): Promise<Secret> {
  return Promise.resolve(new Secret(sealed.replace("sealed:", "")));
}

async function remove<Row extends object>(
  database: Database,
  entity: { meta: unknown; "~entity": Row },
  where: Record<string, string>,
): Promise<void> {
  await change(database, actor, async ({ em }) => {
    em.remove(await em.findOneOrFail(entity as unknown as typeof Workspace, where));
  });
}

async function seed(database: Database, name = "one"): Promise<Ids> {
  const suffix = name === "one" ? "" : `-${name}`;
  const { result } = await change(database, actor, async ({ em }) => {
    const user = em.create(User, {
      username: name,
      email: `${name}@example.com`,
      name,
      firstName: name,
      lastName: name,
    });
    const role = em.create(Role, { name, policy: { statements: [] } });
    const workspace = em.create(Workspace, { name });
    const environment = em.create(Environment, {
      workspaceId: workspace.workspaceId,
      name: "default",
      settings: { allowAdHoc: false },
    });
    const { environmentId } = environment;
    const connection = em.create(AiConnection, {
      environmentId,
      name: "Main",
      provider: "echo",
      config: { apiKey: "sealed:k1", region: "eu", headers: { token: "sealed:t1" } },
    });
    const slot = {
      connectionId: connection.connectionId,
      provider: "echo",
      model: "echo",
      maxRetries: 0,
      timeoutMs: null,
    };
    const resource = em.create(AiResource, { environmentId, name: "chat", model: slot });
    const key = em.create(ApiKey, {
      environmentId,
      name: "default",
      maskedKey: "vmx_sk_",
      hash: `hash-new${suffix}`,
      previousHash: `hash-old${suffix}`,
      previousValidUntil: new Date(Date.now() + 1_000),
    });
    const ids = {
      workspaceId: workspace.workspaceId,
      environmentId,
      connectionId: connection.connectionId,
      resourceId: resource.resourceId,
      apiKeyId: key.apiKeyId,
      userId: user.userId,
    };
    em.persist([user, role, workspace, environment, connection, resource, key]);
    em.persist([
      em.create(RoleAssignment, { userId: user.userId, roleId: role.roleId }),
      em.create(WorkspaceMember, { ...ids, role: "OWNER" }),
      em.create(ApiKeyAssignment, { apiKeyId: key.apiKeyId, resourceId: resource.resourceId }),
    ]);
    return ids;
  });
  return result;
}
