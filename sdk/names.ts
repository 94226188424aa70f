import { NotFoundError } from "./errors.ts";
import type { Answer } from "./call.ts";

/** Asks a list operation; the input is the one of the generated class. */
export type AskList = (
  operation: string,
  input: { readonly path: Values; readonly query: Values },
) => Promise<Answer<{ readonly data: readonly Values[] }>>;

type Values = Readonly<Record<string, unknown>>;

interface Reference {
  readonly noun: string;
  readonly list: string;
  /** Query that finds the object without reading the whole list. */
  readonly query: (name: string) => Values;
  /** Members that may be the name. */
  readonly names: readonly string[];
  /** Path parameters the list itself needs. */
  readonly below: readonly string[];
  readonly code: string;
}

/** How each id of a path is found by name. An entity more is a line more. */
const references: Readonly<Record<string, Reference>> = {
  workspaceId: reference("workspace", "listWorkspaces", "WORKSPACE_NOT_FOUND"),
  environmentId: reference("environment", "listEnvironments", "ENVIRONMENT_NOT_FOUND", [
    "workspaceId",
  ]),
  connectionId: inEnvironment("AI connection", "listAiConnections", "AI_CONNECTION_NOT_FOUND"),
  resourceId: inEnvironment("AI resource", "listAiResources", "AI_RESOURCE_NOT_FOUND"),
  apiKeyId: inEnvironment("API key", "listApiKeys", "API_KEY_NOT_FOUND"),
  roleId: reference("role", "listRoles", "ROLE_NOT_FOUND"),
  tokenId: { ...reference("token", "listMyTokens", "TOKEN_NOT_FOUND"), query: () => ({}) },
  userId: {
    ...reference("user", "listUsers", "USER_NOT_FOUND"),
    query: (q) => ({ q, limit: 500 }),
    names: ["username", "email"],
  },
};

/** Members of bodies and queries that hold ids, and what they are ids of. */
const members: Readonly<Record<string, string>> = {
  connectionId: "connectionId",
  resourceId: "resourceId",
  apiKeyId: "apiKeyId",
  userId: "userId",
  resources: "resourceId",
  assignApiKeys: "apiKeyId",
  userIds: "userId",
  roleIds: "roleId",
};

/** Words that stand in place of an id, by operation. */
const words: Readonly<Record<string, string>> = { testAiResourceRoute: "draft" };

const uuid = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i;
/** Ids of these hardly change and stand in almost every path. */
const kept = new Set(["workspaceId", "environmentId"]);

/** Turns names into ids. */
export interface Names {
  /**
   * Path, query and body with ids where names stood.
   *
   * Throws a NotFoundError for a name nothing has.
   */
  resolve(operation: string, input: Values): Promise<Values>;
  /** Forgets what is known, because it proved wrong. */
  forget(): void;
}

/** Finds ids by asking the API's lists; those of workspaces and environments are remembered. */
export function createNames(ask: AskList): Names {
  const known = new Map<string, Promise<string>>();

  async function idOf(parameter: string, name: string, path: Values): Promise<string> {
    const found = references[parameter];
    if (!found || uuid.test(name)) return name;
    const above = Object.fromEntries(found.below.map((each) => [each, path[each]]));
    if (!kept.has(parameter)) return await find(found, parameter, name, above);
    const key = JSON.stringify([parameter, name.toLowerCase(), above]);
    let id = known.get(key);
    if (!id) {
      id = find(found, parameter, name, above);
      known.set(key, id);
      id.catch(() => known.delete(key));
    }
    return await id;
  }

  async function find(
    { list, query, names, noun, code }: Reference,
    id: string,
    name: string,
    path: Values,
  ): Promise<string> {
    const answer = await ask(list, { path, query: query(name) });
    const wanted = name.toLowerCase();
    const item = answer.data.data.find((each) =>
      names.some((member) => String(each[member]).toLowerCase() === wanted)
    );
    if (item) return String(item[id]);
    throw new NotFoundError(`No ${noun} is named "${name}"`, {
      status: 404,
      code,
      requestId: answer.requestId,
    });
  }

  async function resolvePath(operation: string, path: Values): Promise<Values> {
    const resolved: Record<string, unknown> = {};
    // In order: workspace before environment before what is in it.
    for (const [parameter, value] of Object.entries(path)) {
      const text = String(value);
      resolved[parameter] = text === words[operation]
        ? text
        : await idOf(parameter, text, resolved);
    }
    return resolved;
  }

  async function resolveMembers(values: Values, path: Values): Promise<Values> {
    const resolved: Record<string, unknown> = { ...values };
    for (const [member, parameter] of Object.entries(members)) {
      const value = values[member];
      if (typeof value === "string") resolved[member] = await idOf(parameter, value, path);
      if (Array.isArray(value)) {
        resolved[member] = await Promise.all(
          value.map((each) => typeof each === "string" ? idOf(parameter, each, path) : each),
        );
      }
    }
    const { definition } = values;
    if (Array.isArray(definition)) {
      resolved["definition"] = await Promise.all(
        definition.map((each) => isValues(each) ? resolveMembers(each, path) : each),
      );
    }
    return resolved;
  }

  return {
    async resolve(operation, input) {
      const path = await resolvePath(operation, (input["path"] ?? {}) as Values);
      const { query, body } = input;
      return {
        ...input,
        path,
        ...(isValues(query) ? { query: await resolveMembers(query, path) } : {}),
        ...(isValues(body) ? { body: await resolveMembers(body, path) } : {}),
      };
    },
    forget: () => known.clear(),
  };
}

function reference(
  noun: string,
  list: string,
  code: string,
  below: readonly string[] = [],
): Reference {
  return { noun, list, code, below, query: (name) => ({ name }), names: ["name"] };
}

function inEnvironment(noun: string, list: string, code: string): Reference {
  return reference(noun, list, code, ["workspaceId", "environmentId"]);
}

function isValues(value: unknown): value is Values {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
