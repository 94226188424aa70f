import { randomUUID } from "node:crypto";
import type { Encryption, SealContext } from "../../contract/encryption.ts";
import { GatewayError } from "../../contract/errors.ts";
import type { EncryptionBackends } from "../../host/encryption-backends.ts";
import { createEncryptionBackends, sealedBy } from "../../host/encryption-backends.ts";
import { settingContext } from "../../host/stored-settings.ts";
import type { PluginHost } from "../../host/plugin-host.ts";
import { type Actor, change } from "../../store/change.ts";
import type { Database } from "../../store/database.ts";
import { AiConnection, Environment, PluginSetting, Workspace } from "../../store/entities/index.ts";
import { silentLog } from "../../store/testing.ts";
import { createReEncryption, type ReEncryptionParts } from "./re-encryption.ts";

/** Who seeds. */
export const seeder: Actor = { userId: null, via: "bootstrap" };

/** A backend that hides nothing: it seals by writing down version, place and text. */
export interface OpenBackend extends Encryption {
  /** Runs before each opening. */
  before: () => Promise<void> | void;
}

/** Makes a backend; `keys` are named by version, and what one key sealed no other opens. */
export function createOpenBackend(id: string, keys: Readonly<Record<number, string>>): OpenBackend {
  const keyVersions = Object.keys(keys).map(Number);
  const keyVersion = Math.max(...keyVersions);
  const backend: OpenBackend = {
    keyVersion,
    keyVersions,
    before() {},
    seal(plain, context) {
      const content = JSON.stringify([keys[keyVersion], context, Buffer.from(plain).toString()]);
      // A number that is never the same, as a nonce would be.
      const text = Buffer.from(`${randomUUID()} ${content}`).toString("base64url");
      return Promise.resolve(`${id}:${keyVersion}:${text}`);
    },
    async open(sealed, context) {
      await backend.before();
      const [, version, text] = sealed.split(":");
      const content = Buffer.from(text!, "base64url").toString().slice(37);
      const [key, place, plain] = content ? JSON.parse(content) : [];
      if (key !== keys[Number(version)] || !isSame(place, context)) {
        throw new GatewayError("credential_unavailable", "Cannot open a stored secret");
      }
      return Buffer.from(plain);
    },
    rewrap: async (sealed, context) => backend.seal(await backend.open(sealed, context), context),
    versionOf: (sealed) => sealedBy(sealed)?.keyVersion,
    fingerprint: (version) => `fingerprint of ${keys[version]}`,
  };
  return backend;
}

function isSame(one: unknown, context: SealContext): boolean {
  return JSON.stringify(one) === JSON.stringify(context);
}

const schema = {
  type: "object",
  properties: {
    baseUrl: { type: "string" },
    apiKey: { type: "string", format: "secret" },
    headers: { type: "object", additionalProperties: { type: "string", format: "secret" } },
  },
};

/** A host that knows one provider, one plugin with settings, and the backends given. */
export function createKeyHost(backends: Readonly<Record<string, Encryption>>) {
  return {
    find: (point: string, id: string) =>
      point === "encryptions"
        ? backends[id] && { id }
        : id === "known"
        ? { id, configuration: schema }
        : undefined,
    plugins: () => [{ id: "known-plugin", settings: { schema } }],
    get: (_point: string, id: string) =>
      backends[id]
        ? Promise.resolve(backends[id])
        : Promise.reject(new Error(`No plugin provides "${id}"`)),
  } as unknown as PluginHost;
}

/** The re-encryption of a process that seals with the first of the backends. */
export function createTestReEncryption(
  database: Database,
  backends: Readonly<Record<string, Encryption>>,
) {
  const host = createKeyHost(backends);
  const encryption = createEncryptionBackends(host, Object.keys(backends)[0]!);
  const parts = { database, host, encryption, loader: { refresh() {} }, log: silentLog };
  const reEncryption = createReEncryption(parts as unknown as ReEncryptionParts);
  return {
    ...reEncryption,
    encryption,
    /** Asks for it, as the route does. */
    async ask() {
      await change(database, seeder, async ({ em }) => {
        await reEncryption.request(em, null);
      });
      await reEncryption.look();
    },
  };
}

/**
 * Stores `count` connections with two secrets each, one of a plugin that is gone, and the settings of a
 * plugin: 2 × count + 3 values. Answers the connections' ids in the order they are gone through.
 */
export async function seedSecrets(
  database: Database,
  encryption: () => Promise<EncryptionBackends>,
  count: number,
): Promise<{ readonly environmentId: string; readonly ids: readonly string[] }> {
  const sealing = await encryption();
  const seal = (environment: string, owner: string) => (field: string, text: string) =>
    sealing.seal(Buffer.from(text), { environment, owner, field });
  const environmentId = randomUUID();
  const ids = Array.from({ length: count }, () => randomUUID()).sort();
  await change(database, seeder, async ({ em }) => {
    const workspace = em.create(Workspace, { workspaceId: randomUUID(), name: "one" });
    const { workspaceId } = workspace;
    em.create(Environment, { environmentId, workspaceId, name: "one" });
    for (const [at, connectionId] of ids.entries()) {
      const sealOf = seal(environmentId, connectionId);
      em.create(AiConnection, {
        connectionId,
        environmentId,
        name: `connection ${at}`,
        provider: "known",
        config: {
          baseUrl: "https://example.com",
          apiKey: await sealOf("apiKey", `key ${at}`),
          headers: { "x.key": await sealOf("headers.x\\.key", `header ${at}`) },
        },
      });
    }
    const gone = randomUUID();
    em.create(AiConnection, {
      connectionId: gone,
      environmentId,
      name: "gone",
      provider: "gone",
      config: { keys: [{ key: await seal(environmentId, gone)("keys.0.key", "of the gone one") }] },
    });
    const { environment, owner } = settingContext("known-plugin", "");
    const sealOf = seal(environment, owner);
    em.create(PluginSetting, {
      pluginId: "known-plugin",
      settings: {
        apiKey: await sealOf("apiKey", "setting"),
        headers: { a: await sealOf("headers.a", "b") },
      },
    });
  });
  return { environmentId, ids };
}

/** Every row of every table as text, to look for what must be gone. */
export async function dump(database: Database): Promise<string> {
  const tables = await database.em().execute<{ name: string }[]>(
    "select table_name as name from information_schema.tables where table_schema = ?",
    [database.schema],
  );
  const texts = await Promise.all(tables.map(async ({ name }) => {
    const rows = await database.em().execute<{ row: string }[]>(
      `select t::text as row from "${database.schema}"."${name}" t`,
    );
    return rows.map(({ row }) => `${name} ${row}`).join("\n");
  }));
  return texts.join("\n");
}
