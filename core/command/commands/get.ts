import { NotFoundError } from "@vmx/sdk";
import { nearest } from "../../kit/nearest.ts";
import { callOperation, listOperation, pathFor, requireEntity, requireOperation } from "../call.ts";
import { type Command, CommandError, type Flags, type Input, UsageError } from "../command.ts";
import { type Entity, findEntity, operandsOf } from "../entities.ts";
import { exitCodes } from "../exit-codes.ts";
import { nameOf, type Row, writeList, writeOne } from "../output.ts";
import { shownRows } from "../shown-rows.ts";
import { flagsOfQuery, readLimit, readQuery } from "../query.ts";

/** `vmx get`: lists objects, or reads some of them. */
export const get: Command = {
  name: "get",
  summary: "lists the objects of an entity, or reads those that are named",
  operands: "ENTITY [NAME...]",
  details: [
    "An entity is any noun of the management API, in the singular or plural, and without its prefix: " +
    "connections are ai-connections, keys api-keys, resources ai-resources. vmx get alone lists them.",
  ],
  flagsFor: ([word]) => queryFlags(word === undefined ? undefined : findEntity(word)),
  examples: [
    "vmx get connections",
    "vmx get keys --label ci --limit all -o wide",
    "vmx get resource chat -o yaml",
    "vmx get role-members admin",
    "vmx get keys -o name | xargs -n 1 vmx describe key",
  ],
  remote: true,
  async run(input) {
    const [word, ...names] = input.positionals;
    const entity = requireEntity(word, "list");
    const { list } = entity.operations;
    const { format, terminal } = input;
    if (list && names.length <= operandsOf(entity, list).length) {
      const rows = await readList(input, entity, names);
      const shown = format === "table" ? rows.map((row) => pick(row, shownOf[entity.name])) : rows;
      terminal.out(writeList(shown, format, terminal));
      if (rows.length === 0 && (format === "table" || format === "wide")) {
        terminal.say(`No ${entity.plural} here.`);
      }
      return;
    }
    const groups = entity.parameter === undefined ? [names] : names.map((name) => [name]);
    const rows = [];
    for (const operands of groups) rows.push(await readOne(input, entity, operands));
    const [only] = rows;
    const within = only && entity.parameter === undefined &&
      (shownRows(entity.name, only) ?? rowsWithin(only));
    terminal.out(
      within && (format === "table" || format === "wide")
        ? writeList(within, format, terminal)
        : rows.length === 1 && only
        ? writeOne(only, format, terminal)
        : writeList(rows, format, terminal),
    );
  },
};

/** Members the narrow table shows, where an object has too many to choose by rule. */
const shownOf: Readonly<Record<string, readonly string[]>> = {
  audit: [
    "timestamp",
    "status",
    "statusCode",
    "resourceName",
    "provider",
    "model",
    "totalDurationMs",
    "errorCode",
    "requestId",
  ],
};

function pick(row: Row, members: readonly string[] | undefined): Row {
  return members ? Object.fromEntries(members.map((member) => [member, row[member]])) : row;
}

/** What a table shows of an answer that is a list with something about it. */
function rowsWithin({ data, modules }: Row): Row[] | undefined {
  const rows = data ?? modules;
  return Array.isArray(rows) && rows.length > 0 ? rows as Row[] : undefined;
}

/** Reads one object. A name that nothing has is answered with the nearest one. */
export async function readOne(
  input: Input,
  entity: Entity,
  operands: readonly string[],
): Promise<Row> {
  const { get: operation } = entity.operations;
  if (!operation) return await findInList(input, entity, operands);
  const path = await pathFor(input, entity, operation, operands);
  const vmx = await input.vmx();
  try {
    return await callOperation(vmx, { operation, path, query: readQuery(input, operation) });
  } catch (error) {
    throw await withSuggestion(input, entity, operands, error);
  }
}

/** What cannot be read one by one is picked from its list. */
async function findInList(
  input: Input,
  entity: Entity,
  operands: readonly string[],
): Promise<Row> {
  const list = requireOperation(entity, "list");
  const within = operandsOf(entity, list).length;
  const name = operands[within];
  if (name === undefined || operands.length > within + 1) {
    throw new UsageError(`Name one ${entity.name}`);
  }
  const rows = await listAll(input, entity, operands.slice(0, within));
  const wanted = name.toLowerCase();
  const row = rows.find((each) =>
    nameOf(each).toLowerCase() === wanted || Object.values(each).includes(name)
  );
  if (row) return row;
  throw new CommandError(notFound(entity, name, rows), exitCodes.notFound);
}

/** Adds the nearest name to an error about one that nothing has. */
export async function withSuggestion(
  input: Input,
  entity: Entity,
  operands: readonly string[],
  error: unknown,
): Promise<unknown> {
  const name = operands.at(-1);
  const isOwn = error instanceof NotFoundError && entity.operations.list && name !== undefined &&
    !/^(WORKSPACE|ENVIRONMENT)_/.test(entity.name === "workspace" ? "" : error.code);
  if (!isOwn) return error;
  const rows = await listAll(input, entity, operands.slice(0, -1)).catch(() => []);
  return new CommandError(notFound(entity, name, rows), exitCodes.notFound);
}

async function listAll(
  input: Input,
  entity: Entity,
  operands: readonly string[],
): Promise<Row[]> {
  const operation = requireOperation(entity, "list");
  const path = await pathFor(input, entity, operation, operands);
  return await listOperation(await input.vmx(), { operation, path }, 1_000);
}

function notFound(entity: Entity, name: string, rows: readonly Row[]): string {
  const meant = nearest(name, rows.map(nameOf));
  return `No ${entity.name} is named "${name}"` +
    (meant === undefined ? `. List them: vmx get ${entity.plural}` : `; did you mean ${meant}?`);
}

async function readList(
  input: Input,
  entity: Entity,
  operands: readonly string[],
): Promise<Row[]> {
  const operation = requireOperation(entity, "list");
  const path = await pathFor(input, entity, operation, operands);
  const limit = readLimit(input, operation);
  // One more tells whether there are more.
  const rows = await input.terminal.during(
    `Reading ${entity.plural}`,
    listOperation(
      await input.vmx(),
      { operation, path, query: { ...readQuery(input, operation), ...pageOf(limit, operation) } },
      limit + 1,
    ),
  );
  if (rows.length <= limit) return rows;
  input.terminal.say(`There are more than ${limit}: --limit all reads them.`);
  return rows.slice(0, limit);
}

/** Pages as large as the API has them, and no larger than what is wanted. */
function pageOf(limit: number, { query }: { readonly query: object }): Record<string, unknown> {
  return "limit" in query ? { limit: Math.min(limit + 1, 500) } : {};
}

function queryFlags(entity: Entity | undefined): Flags {
  const { list, get: one } = entity?.operations ?? {};
  return { ...(one ? flagsOfQuery(one) : {}), ...(list ? flagsOfQuery(list) : {}) };
}
