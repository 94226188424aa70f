import type { PolicyView } from "../store/snapshot.ts";
import {
  actions,
  type BodyIds,
  deniedToAlmost,
  operations,
  parameters,
  type Person,
} from "./authorization-table.ts";
import { createManagementApi } from "./api.ts";
import { createPerson, createSession, type TestPerson } from "./testing-people.ts";
import type { Answer, TestManagement } from "./testing.ts";

/** An operation as the OpenAPI document tells it. */
export interface Operation {
  readonly operationId: string;
  readonly method: string;
  readonly path: string;
  /** As the document says, in the words of the table. */
  readonly access: string;
  readonly parameters: readonly string[];
  /** Names of its query's members that hold ids. */
  readonly idsInQuery: readonly string[];
  /** Whether its body, at any depth, holds ids. */
  readonly hasIdsInBody: boolean;
  /** JSON Schema of its JSON body, when it has one. */
  readonly body: unknown;
}

/** Every operation of the document; PUT bears the name of the PATCH it repeats. */
export function readOperations(): Operation[] {
  const { openApi } = createManagementApi("matrix");
  const { components } = openApi as { components: { schemas: Record<string, unknown> } };
  const paths = openApi["paths"] as Record<string, Record<string, Record<string, unknown>>>;
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      operationId: String(operation["operationId"]).replace(
        /^put(?=[A-Z])/,
        method === "put" ? "update" : "put",
      ),
      method: method.toUpperCase(),
      path,
      access: accessOf(operation),
      parameters: [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!),
      body: bodyOf(operation, components.schemas),
      idsInQuery: idsInQuery(operation),
      hasIdsInBody: holdsUuid(operation["requestBody"], components.schemas, new Set()),
    }))
  );
}

function idsInQuery(operation: Record<string, unknown>): string[] {
  const parameters = (operation["parameters"] ?? []) as {
    readonly in: string;
    readonly name: string;
    readonly schema: { readonly format?: string };
  }[];
  return parameters
    .filter(({ in: place, name, schema }) =>
      place === "query" && (schema.format === "uuid" || name.endsWith("Id"))
    )
    .map(({ name }) => name);
}

function accessOf(operation: Record<string, unknown>): string {
  if (operation["x-vmx-action"] === undefined) return operation["security"] ? "public" : "self";
  const resource = String(operation["x-vmx-resource"])
    .replace("workspace:{w}:environment:{e}", "{b}");
  return `${operation["x-vmx-action"]} @ ${resource}`;
}

function bodyOf(operation: Record<string, unknown>, schemas: Record<string, unknown>): unknown {
  const { content } = (operation["requestBody"] ?? {}) as {
    content?: Record<string, { schema: { $ref?: string } }>;
  };
  const schema = content?.["application/json"]?.schema;
  return schema?.$ref ? schemas[schema.$ref.split("/").pop()!] : schema;
}

function holdsUuid(node: unknown, schemas: Record<string, unknown>, seen: Set<unknown>): boolean {
  if (typeof node !== "object" || node === null || seen.has(node)) return false;
  seen.add(node);
  const { $ref, format } = node as { $ref?: unknown; format?: unknown };
  if (format === "uuid") return true;
  if (typeof $ref === "string") return holdsUuid(schemas[$ref.split("/").pop()!], schemas, seen);
  return Object.values(node).some((below) => holdsUuid(below, schemas, seen));
}

/** Where a call is aimed at. */
export const targets = ["own", "sibling", "other", "absent", "malformed"] as const;
/** See `targets`. */
export type Target = typeof targets[number];

/** Who calls: people with a good token or session, and callers whose credential is not good. */
export interface Caller {
  readonly name: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Code every operation but the public ones answers; undefined for a good credential. */
  readonly refusal?: string;
  readonly person?: Person;
  /** Whether the password must be changed before anything else. */
  readonly limited?: true;
  /** Whether the token may less than its user. */
  readonly narrowed?: true;
  /** Whether nothing tells that the browser's own pages call, so that changes are refused. */
  readonly fromElsewhere?: true;
}

/** All the matrix plays with. */
export interface MatrixWorld {
  readonly plane: TestManagement;
  readonly callers: readonly Caller[];
  /** Objects of the caller's environment, of another workspace, and ids that are nobody's. */
  readonly own: BodyIds;
  readonly foreign: BodyIds;
  readonly absent: BodyIds;
  /** Path of an operation for a target. */
  pathTo(operation: Operation, target: Target): string;
  /** Digest of every table, so that a test can show that nothing changed. */
  digest(): Promise<Record<string, string>>;
}

/** Builds two workspaces with two environments, and everybody who calls. */
export async function createMatrixWorld(plane: TestManagement): Promise<MatrixWorld> {
  const w = plane.firstRun.workspaceId;
  const first = async (base: string, list: string, id: string): Promise<string> =>
    (await plane.call("GET", `${base}/${list}`)).body.data[0][id];
  const make = async (path: string, body: unknown, id: string): Promise<string> => {
    const { status, body: made, text } = await plane.call("POST", path, body);
    if (status !== 201) throw new Error(`Cannot prepare the matrix: ${path} ${text}`);
    return made[id];
  };
  const sibling = await make(
    `/api/v1/workspaces/${w}/environments`,
    { name: "sibling" },
    "environmentId",
  );
  const x = await make("/api/v1/workspaces", { name: "foreign" }, "workspaceId");
  const foreignEnvironment = await make(
    `/api/v1/workspaces/${x}/environments`,
    { name: "foreign" },
    "environmentId",
  );
  const foreignBase = `/api/v1/workspaces/${x}/environments/${foreignEnvironment}`;
  const connection = { name: "echo", provider: "echo", config: {} };
  const foreignConnection = await make(`${foreignBase}/ai-connections`, connection, "connectionId");
  const foreign: BodyIds = {
    connectionId: foreignConnection,
    resourceId: await make(`${foreignBase}/ai-resources`, {
      name: "foreign",
      model: { model: "echo", connectionId: foreignConnection },
    }, "resourceId"),
    apiKeyId: await make(`${foreignBase}/api-keys`, { name: "foreign" }, "apiKeyId"),
  };
  const own: BodyIds = {
    connectionId: await first(plane.environmentPath, "ai-connections", "connectionId"),
    resourceId: await first(plane.environmentPath, "ai-resources", "resourceId"),
    apiKeyId: await first(plane.environmentPath, "api-keys", "apiKeyId"),
  };
  const absent: BodyIds = {
    connectionId: crypto.randomUUID(),
    resourceId: crypto.randomUUID(),
    apiKeyId: crypto.randomUUID(),
  };
  const everything: PolicyView["statements"][number] = {
    effect: "allow",
    actions: ["*"],
    resources: ["*"],
  };
  const policy = { statements: [everything] };
  const bystander = await createPerson(plane, { policy, memberships: { [w]: "MEMBER" } });
  const roleId = (await plane.call("GET", `/api/v1/roles?name=${bystander.username}`))
    .body.data[0].roleId;

  const people: Record<Person, TestPerson> = {
    reader: await createPerson(plane, { roles: ["read-only"], memberships: { [w]: "MEMBER" } }),
    power: await createPerson(plane, { roles: ["power-user"], memberships: { [w]: "MEMBER" } }),
    member: await createPerson(plane, { memberships: { [w]: "MEMBER" } }),
    owner: await createPerson(plane, { memberships: { [w]: "OWNER" } }),
    admin: await createPerson(plane, { roles: ["admin"] }),
    almost: await createPerson(plane, {
      policy: {
        statements: [everything, { effect: "deny", actions: [deniedToAlmost], resources: ["*"] }],
      },
    }),
    foreign: await createPerson(plane, { memberships: { [x]: "OWNER" } }),
  };
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
  const admin = { roles: ["admin"], memberships: { [w]: "OWNER" as const } };
  const expired = await createPerson(plane, { ...admin, tokenExpiresAt: new Date(1e12) });
  const revoked = await createPerson(plane, admin);
  await revoked.call("DELETE", `/api/v1/me/tokens/${revoked.tokenId}`);
  const disabled = await createPerson(plane, { ...admin, state: "INACTIVE" });
  const limited = await createPerson(plane, { ...admin, state: "CHANGE_PASSWORD" });
  // May as little with this token as somebody who holds the role alone.
  const narrowed = await createPerson(plane, {
    roles: ["admin"],
    memberships: { [w]: "MEMBER" },
    tokenPolicy: {
      statements: [{ effect: "allow", actions: ["*:get", "*:list"], resources: ["*"] }],
    },
  });
  const session = await createSession(plane, people.admin.userId);
  const idle = await createSession(plane, people.admin.userId, new Date(1e12));
  const sessionOfDisabled = await createSession(plane, disabled.userId);
  const fromPages = ({ cookie, csrfToken }: typeof session) => ({
    cookie,
    origin: plane.url,
    "x-vmx-csrf": csrfToken,
  });
  const callers: Caller[] = [
    { name: "nobody", headers: {}, refusal: "NOT_AUTHENTICATED" },
    {
      name: "a malformed token",
      headers: bearer("vmx_pat_nonsense"),
      refusal: "NOT_AUTHENTICATED",
    },
    {
      name: "a wrong token of the administrator",
      headers: bearer("test-admin-token-0123456789-abcdefghiK"),
      refusal: "NOT_AUTHENTICATED",
    },
    {
      name: "a session nobody began",
      headers: fromPages({ ...session, cookie: `vmx_session=${"A".repeat(43)}` }),
      refusal: "SESSION_EXPIRED",
    },
    {
      name: "a session that was idle for too long",
      headers: fromPages(idle),
      refusal: "SESSION_EXPIRED",
    },
    {
      name: "a session of a disabled user",
      headers: fromPages(sessionOfDisabled),
      refusal: "USER_INACTIVE",
    },
    { name: "a session", headers: fromPages(session), person: "admin" },
    {
      name: "a session called from elsewhere",
      headers: { cookie: session.cookie, origin: "https://evil.example" },
      person: "admin",
      fromElsewhere: true,
    },
    { name: "a narrowed token", headers: bearer(narrowed.token), person: "reader", narrowed: true },
    { name: "an expired token", headers: bearer(expired.token), refusal: "TOKEN_EXPIRED" },
    { name: "a revoked token", headers: bearer(revoked.token), refusal: "NOT_AUTHENTICATED" },
    { name: "a disabled user", headers: bearer(disabled.token), refusal: "USER_INACTIVE" },
    {
      name: "an API key",
      headers: bearer(plane.firstRun.apiKey.value),
      refusal: "API_KEY_CANNOT_MANAGE",
    },
    { name: "an unchanged password", headers: bearer(limited.token), limited: true },
    ...Object.entries(people).map(([person, { token }]) => ({
      name: person,
      headers: bearer(token),
      person: person as Person,
    })),
  ];

  const items: Record<string, string> = {
    ...own,
    userId: bystander.userId,
    roleId,
    tokenId: crypto.randomUUID(),
    pluginId: encodeURIComponent("@vmx/provider-echo"),
  };
  const places: Record<Target, readonly [workspace: string, environment: string]> = {
    own: [w, plane.firstRun.environmentId],
    sibling: [w, sibling],
    other: [x, foreignEnvironment],
    absent: [crypto.randomUUID(), crypto.randomUUID()],
    malformed: ["not-an-id", "not-an-id"],
  };
  const nobodys = crypto.randomUUID();
  return {
    plane,
    callers,
    own,
    foreign,
    absent,
    pathTo({ path }, target) {
      const [workspaceId, environmentId] = places[target];
      const names: Record<string, string> = { workspaceId, environmentId };
      return path.replace(/\{(\w+)\}/g, (_, name: string) => {
        if (names[name] !== undefined) return names[name];
        if (parameters[name] === undefined) throw new Error(unknownParameter(name));
        if (target === "malformed") return "not-an-id";
        if (target === "absent") return nobodys;
        if (target === "other" && name in foreign) return foreign[name as keyof BodyIds];
        return items[name] ?? nobodys;
      });
    },
    digest: () => digestOf(plane),
  };

  function unknownParameter(name: string): string {
    return `Cannot aim at {${name}}: add it to \`parameters\` in authorization-table.ts`;
  }
}

/** What a cell of the matrix must answer: `passes` when authorisation lets the call through. */
export function expectedAnswer(operation: Operation, caller: Caller, target: Target): string {
  const access = operations[operation.operationId];
  if (access === undefined) throw new Error(missingEntry(operation));
  if (access === "public") return "passes";
  if (caller.refusal !== undefined) return caller.refusal;
  if (caller.fromElsewhere && operation.method !== "GET") return "CSRF_TOKEN_INVALID";
  const { parameters: names } = operation;
  const { person = "admin" } = caller;
  const seesAll = person === "admin" && !caller.limited || person === "almost";
  if (names.includes("workspaceId")) {
    const isThere = target !== "absent" && target !== "malformed";
    const isMine = person === "foreign" ? target === "other" : target !== "other";
    // The limited user administers everything too, but only once the password is changed.
    if (!isThere || !(isMine || seesAll || caller.limited)) return "WORKSPACE_NOT_FOUND";
  }
  if (caller.limited) {
    return access.startsWith("self even") ? "passes" : "PASSWORD_CHANGE_REQUIRED";
  }
  if (access.startsWith("self")) return "passes";
  const [action = "", resource = ""] = access.split(" @ ");
  const last = names.at(-1);
  if (resource.includes("{item}") && last !== undefined && last !== "environmentId") {
    const isGlobal = !names.includes("workspaceId");
    const isMissing = isGlobal
      ? target === "absent" || target === "malformed"
      : target === "sibling";
    if (isMissing || !knownItems.has(last)) return parameters[last]!;
  }
  const allowed = actions[access] ?? actions[action];
  if (!allowed) throw new Error(`Add "${action}" to \`actions\` in authorization-table.ts`);
  const ownsOther = person === "foreign" && names.includes("workspaceId");
  if (ownsOther || allowed.includes(person)) return "passes";
  const isMember = person === "reader" || person === "power" || person === "member";
  return isMember && reserved.has(action) && !caller.narrowed
    ? "WORKSPACE_OWNER_REQUIRED"
    : "NOT_AUTHORIZED";
}

const knownItems = new Set([
  "connectionId",
  "resourceId",
  "apiKeyId",
  "userId",
  "roleId",
  "pluginId",
]);
const reserved = new Set([
  "workspace:delete",
  "workspace:assign",
  "workspace:unassign",
  "workspace:update-member-role",
]);

/** Says what to do about an operation nobody has reviewed. */
export function missingEntry({ operationId, access }: Operation): string {
  return `Add ${operationId} to \`operations\` in core/management/authorization-table.ts, ` +
    `as the specification has it (the route says "${access}")`;
}

/**
 * Makes the call of a cell and answers what came of it. A call that authorisation should let through carries a query
 * nobody knows: it is refused right after authorisation, before it does anything. One that should be refused is real.
 */
export async function play(
  { plane, pathTo }: Pick<MatrixWorld, "plane" | "pathTo">,
  operation: Operation,
  caller: Caller,
  target: Target,
): Promise<string> {
  const probe = expectedAnswer(operation, caller, target) === "passes";
  const path = pathTo(operation, target) + (probe ? "?no-operation-knows-this=1" : "");
  const hasBody = operation.method !== "GET" && operation.method !== "DELETE";
  const answer = await plane.send(
    operation.method,
    path,
    hasBody ? "{}" : undefined,
    caller.headers,
  );
  // The browser's way back from an identity provider takes any query: providers add members of their own.
  const passed = answer.status === 400 && (answer.body?.code === "OIDC_NOT_CONFIGURED" ||
    JSON.stringify(answer.body?.errors ?? []).includes("no-operation-knows-this"));
  return passed ? "passes" : answer.body?.code ?? `answers ${answer.status}`;
}

/** An answer without what differs from call to call. */
export function comparable({ status, body }: Answer, ids: Readonly<Record<string, string>>) {
  let text = JSON.stringify({ ...body, instance: "", requestId: "" });
  for (const id of Object.values(ids)) text = text.replaceAll(id, "<id>");
  return [status, text];
}

async function digestOf({ database }: TestManagement): Promise<Record<string, string>> {
  const em = database.em();
  // Partitions of a table come and go with the days; their rows are the table's.
  const tables = await em.execute<{ name: string }[]>(
    `select relname as name from pg_class
     where relnamespace = ?::regnamespace and relkind in ('r', 'p') and not relispartition
     order by 1`,
    [`"${database.schema}"`],
  );
  const digests: Record<string, string> = {};
  for (const { name } of tables) {
    const [row] = await em.execute<{ digest: string }[]>(
      `select count(*) || ':' || coalesce(md5(string_agg(t::text, '|' order by t::text)), '') as digest
       from "${database.schema}"."${name}" t`,
    );
    digests[name] = row!.digest;
  }
  return digests;
}
