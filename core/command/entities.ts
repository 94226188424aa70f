import openApi from "@vmx/schemas/openapi.json" with { type: "json" };
import type { OperationId } from "@vmx/sdk";

/** A JSON Schema, as far as it is looked at. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly description?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly writeOnly?: boolean;
}

/** One operation of the OpenAPI document. */
export interface Operation {
  readonly id: OperationId;
  readonly summary: string;
  /** Parameters of the path, in order. */
  readonly path: readonly string[];
  readonly query: Readonly<Record<string, Schema & { readonly needed: boolean }>>;
  readonly body: Schema | undefined;
  /** Whether the answer is `{ data: [...] }`. */
  readonly answersList: boolean;
}

/** What can be done with an entity. */
export type Verb = "list" | "get" | "create" | "update" | "delete";

/** Something `get`, `create` and the other verbs work on. */
export interface Entity {
  /** Such as `ai-connection`. */
  readonly name: string;
  readonly plural: string;
  /** Shorter words for it, such as `connection`. */
  readonly aliases: readonly string[];
  readonly operations: Readonly<Partial<Record<Verb, Operation>>>;
  /** Path parameter that names one of its objects; undefined when there is only one. */
  readonly parameter: string | undefined;
}

const verbs: Readonly<Record<string, Verb>> = {
  list: "list",
  get: "get",
  create: "create",
  add: "create",
  put: "create",
  update: "update",
  delete: "delete",
  remove: "delete",
};
/** Sessions are no objects of the installation; the document of the API is none either. */
const hidden = new Set(["auth-option", "session", "open-api"]);
const shortWords: Readonly<Record<string, string>> = {
  environment: "env",
  workspace: "ws",
  "workspace-member": "member",
  "ai-resource-error-rate": "error-rate",
};

let found: readonly Entity[] | undefined;

/** Every entity of the OpenAPI document: the operations that are called verb and noun. */
export function entities(): readonly Entity[] {
  return found ??= readEntities();
}

function readEntities(): Entity[] {
  const byName = new Map<string, Partial<Record<Verb, Operation>>>();
  for (const operation of Object.values(operations())) {
    const [, word = "", noun = ""] = /^([a-z]+)([A-Z]\w*)$/.exec(operation.id) ?? [];
    const kind = verbs[word];
    if (kind === undefined) continue;
    const name = singular(kebab(noun));
    if (hidden.has(name)) continue;
    const verb = kind === "list" && !operation.answersList ? "get" : kind;
    const own = byName.get(name) ?? {};
    byName.set(name, own);
    // What can be created is created; `put` stands in where nothing else can.
    if (word !== "put" || own.create === undefined) own[verb] = operation;
  }
  return [...byName].map(([name, { ...own }]): Entity => {
    const isPut = own.create?.id.startsWith("put");
    const parameter = parameterOf(own);
    // PUT makes what there is at most one of; everything else it changes, as PATCH does.
    if (isPut && (parameter !== undefined || own.delete === undefined)) delete own.create;
    return { name, plural: plural(name), aliases: aliasesOf(name), operations: own, parameter };
  }).sort((one, other) => one.name < other.name ? -1 : 1);
}

/** The last parameter of a path that ends in one. */
function parameterOf(own: Partial<Record<Verb, Operation>>): string | undefined {
  const operation = own.get ?? own.update ?? own.delete;
  if (!operation) return undefined;
  const path = pathOf(operation.id);
  return /\{(\w+)\}$/.exec(path)?.[1];
}

/** Looks an entity up by any word for it. */
export function findEntity(word: string): Entity | undefined {
  const wanted = word.toLowerCase();
  return entities().find(({ name, plural }) => name === wanted || plural === wanted) ??
    entities().find((entity) => wordsFor(entity).includes(wanted));
}

/** Every word for an entity. */
export function wordsFor({ name, plural: many, aliases, operations: { list } }: Entity): string[] {
  // There is only one of what cannot be listed.
  if (!list) return [name, ...aliases];
  return [
    name,
    many,
    ...aliases.flatMap((alias) => alias === "ws" ? [alias] : [alias, plural(alias)]),
  ];
}

/** The parameters of a path that are given as operands; workspace and environment are chosen by options. */
export function operandsOf(entity: Entity, operation: Operation): string[] {
  return operation.path.filter((parameter) =>
    parameter === entity.parameter ||
    (parameter !== "workspaceId" && parameter !== "environmentId")
  );
}

/** Whether an operation lies inside a workspace or an environment that the options choose. */
export function scopeOf(entity: Entity, operation: Operation): readonly string[] {
  return operation.path.filter((parameter) =>
    parameter !== entity.parameter &&
    (parameter === "workspaceId" || parameter === "environmentId")
  );
}

/** Follows a reference, and looks through `null` as an alternative. */
export function resolveSchema(schema: Schema): Schema {
  if (schema.$ref !== undefined) {
    const name = schema.$ref.split("/").at(-1)!;
    const { schemas } = openApi.components as unknown as {
      readonly schemas: Readonly<Record<string, Schema>>;
    };
    return resolveSchema(schemas[name] ?? {});
  }
  const [only, ...others] = (schema.anyOf ?? []).filter(({ type }) => type !== "null");
  return only !== undefined && others.length === 0
    ? { ...resolveSchema(only), ...(schema.description ? { description: schema.description } : {}) }
    : schema;
}

let byId: Readonly<Record<string, Operation>> | undefined;

/** Every operation of the document by its id. */
export function operations(): Readonly<Record<string, Operation>> {
  return byId ??= readOperations();
}

interface DocumentOperation {
  readonly operationId: string;
  readonly summary?: string;
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly required?: boolean;
    readonly description?: string;
    readonly schema: Schema;
  }[];
  readonly requestBody?: {
    readonly content: Readonly<Record<string, { readonly schema: Schema }>>;
  };
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema?: Schema }>> }>
  >;
}

function documentOperations(): [path: string, operation: DocumentOperation][] {
  const paths = openApi.paths as unknown as Readonly<
    Record<string, Readonly<Record<string, DocumentOperation>>>
  >;
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.values(methods).map((operation): [string, DocumentOperation] => [path, operation])
  );
}

function readOperations(): Record<string, Operation> {
  return Object.fromEntries(
    documentOperations().map(([path, operation]) => {
      const { operationId, parameters = [], requestBody, responses } = operation;
      const answer = Object.values(responses)[0]?.content?.["application/json"]?.schema;
      const properties = answer ? resolveSchema(answer).properties : undefined;
      return [operationId, {
        id: operationId as OperationId,
        summary: operation.summary ?? "",
        path: [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!),
        query: Object.fromEntries(
          parameters.filter((each) => each.in === "query").map(({ name, required, ...each }) => [
            name,
            {
              ...each.schema,
              ...(each.description === undefined ? {} : { description: each.description }),
              needed: required === true,
            },
          ]),
        ),
        body: requestBody?.content["application/json"]?.schema,
        answersList: properties?.["data"]?.type === "array",
      }];
    }),
  );
}

function pathOf(id: string): string {
  return documentOperations().find(([, { operationId }]) => operationId === id)?.[0] ?? "";
}

/** Words without the family's prefix, and a few that are shorter still. */
function aliasesOf(name: string): string[] {
  const bare = name.replace(/^(ai|api|my)-/, "");
  return [...(bare === name ? [] : [bare]), ...(shortWords[name] ? [shortWords[name]] : [])];
}

/** `AiConnection` becomes `ai-connection`. */
export function kebab(name: string): string {
  return name.replace(/(?<=[a-z0-9])(?=[A-Z])/g, "-").toLowerCase();
}

function singular(word: string): string {
  if (word.endsWith("ies")) return `${word.slice(0, -3)}y`;
  return /(ss|us|is)$/.test(word) ? word : word.replace(/s$/, "");
}

function plural(word: string): string {
  if (/[^aeiou]y$/.test(word)) return `${word.slice(0, -1)}ies`;
  return /(s|x|ch)$/.test(word) ? `${word}es` : `${word}s`;
}
