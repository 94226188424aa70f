import { randomInt } from "node:crypto";
import { createApiKeyValue, hasValidChecksum, secretPrefix } from "../access/api-key-format.ts";
import { builtInRoles } from "../access/default-roles.ts";
import { brokenPasswordRules } from "../access/password-rules.ts";
import { createPasswords } from "../access/password.ts";
import { hashSecret, maskApiKey } from "../access/token-format.ts";
import type { Encryption, Log } from "../contract/index.ts";
import type { PluginHost } from "../host/plugin-host.ts";
import type { Secret } from "../kit/secret.ts";
import { StartError } from "../start-error.ts";
import { change } from "../store/change.ts";
import type { Database } from "../store/database.ts";
import {
  AiConnection,
  AiResource,
  ApiKey,
  Environment,
  Role,
  RoleAssignment,
  User,
  Workspace,
  WorkspaceMember,
} from "../store/entities/index.ts";
import { type FirstConnection, firstConnections } from "./first-connections.ts";

/** What the first run works with. */
export interface BootstrapParts {
  readonly database: Database;
  readonly host: PluginHost;
  readonly encryption: () => Promise<Encryption>;
  readonly config: {
    readonly bootstrap: {
      readonly adminEmail: string;
      readonly adminPassword: Secret | undefined;
      readonly apiKey: Secret | undefined;
    };
  };
  /** Variables that providers' manifests ask for. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
}

/** What the first run created, for the operator's eyes, once. */
export interface FirstRun {
  readonly administrator: {
    readonly username: string;
    readonly email: string;
    /** Only when it was generated. */
    readonly password: string | undefined;
  };
  readonly workspaceId: string;
  readonly environmentId: string;
  readonly apiKey: { readonly value: string; readonly isGenerated: boolean };
  /** Name of the resource that always answers. */
  readonly resource: string;
  readonly connections: readonly string[];
}

const username = "admin";

/**
 * Fills a database without users: administrator, built-in roles, a workspace with an environment, connections,
 * resources and an API key. Answers undefined when there are users already. Replicas that start together create
 * one set: changes run one after the other, and each looks again.
 *
 * Throws a StartError when a setting cannot be used.
 */
export async function bootstrap(parts: BootstrapParts): Promise<FirstRun | undefined> {
  const { database, config, log } = parts;
  if (await hasUsers(database)) return undefined;
  const { adminEmail, adminPassword, apiKey } = config.bootstrap;
  const keyValue = apiKey?.reveal() ?? createApiKeyValue();
  checkKey(keyValue);
  const password = adminPassword?.reveal() ?? randomText(20);
  if (adminPassword) {
    const broken = await brokenPasswordRules(password, { username, email: adminEmail });
    if (broken.length > 0) log.warn(`VMX_ADMIN_PASSWORD is weak: it ${broken.join(", ")}`);
  }
  const passwordHash = await createPasswords().hash(password);
  const environmentId = crypto.randomUUID();
  const connections = await firstConnections(parts, environmentId);

  const { result } = await change(
    database,
    { userId: null, via: "bootstrap" },
    async ({ em, record }): Promise<FirstRun | undefined> => {
      if (await em.count(User) > 0) return undefined;
      const userId = crypto.randomUUID();
      const workspaceId = crypto.randomUUID();
      const noted = (type: string, id: string, name: string) =>
        record({
          action: `${type}:create`,
          entity: { type, id, name },
          ...(type === "user" || type === "role" ? {} : { workspaceId }),
          ...(type.startsWith("a") || type === "environment" ? { environmentId } : {}),
        });

      em.create(User, {
        userId,
        username,
        email: adminEmail,
        name: "Administrator",
        firstName: "Administrator",
        lastName: "",
        emailVerified: true,
        state: adminPassword ? "ACTIVE" : "CHANGE_PASSWORD",
        passwordHash,
      });
      noted("user", userId, username);
      for (const { name, description, policy } of builtInRoles) {
        const roleId = crypto.randomUUID();
        em.create(Role, { roleId, name, description, policy, builtIn: true });
        if (name === "admin") em.create(RoleAssignment, { userId, roleId });
        noted("role", roleId, name);
      }
      em.create(Workspace, { workspaceId, name: "default" });
      em.create(WorkspaceMember, { workspaceId, userId, role: "OWNER" });
      noted("workspace", workspaceId, "default");
      em.create(Environment, { environmentId, workspaceId, name: "default" });
      noted("environment", environmentId, "default");
      for (const { connectionId, connection, resource, provider, config, model } of connections) {
        em.create(AiConnection, {
          connectionId,
          environmentId,
          name: connection,
          provider,
          config,
        });
        noted("ai-connection", connectionId, connection);
        if (model === undefined) continue;
        const resourceId = crypto.randomUUID();
        const slot = { connectionId, provider, model, maxRetries: 0, timeoutMs: null };
        em.create(AiResource, { resourceId, environmentId, name: resource, model: slot });
        noted("ai-resource", resourceId, resource);
      }
      const apiKeyId = crypto.randomUUID();
      em.create(ApiKey, {
        apiKeyId,
        environmentId,
        name: "default",
        maskedKey: maskApiKey(keyValue),
        hash: hashSecret(keyValue),
      });
      noted("api-key", apiKeyId, "default");
      await em.flush();
      return {
        administrator: {
          username,
          email: adminEmail,
          password: adminPassword ? undefined : password,
        },
        workspaceId,
        environmentId,
        apiKey: { value: keyValue, isGenerated: apiKey === undefined },
        resource: firstResource(connections),
        connections: connections.map(({ connection }) => connection),
      };
    },
  );
  return result;
}

async function hasUsers(database: Database): Promise<boolean> {
  return await database.transaction((em) => em.count(User)) > 0;
}

function checkKey(value: string): void {
  const fits = value.startsWith(secretPrefix) ? hasValidChecksum(value) : value.length >= 32;
  if (fits) return;
  throw new StartError(
    "Cannot use VMX_BOOTSTRAP_API_KEY: it must be a key the gateway made, with its checksum intact, " +
      "or any other text of at least 32 characters",
  );
}

function firstResource(connections: readonly FirstConnection[]): string {
  const found = connections.find(({ always, model }) => always && model !== undefined) ??
    connections.find(({ model }) => model !== undefined);
  return found?.resource ?? "";
}

function randomText(length: number): string {
  // Without characters that are mistaken for each other.
  const letters = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789";
  return Array.from({ length }, () => letters[randomInt(letters.length)]).join("");
}
