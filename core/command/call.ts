import type { CallOptions, OperationId, Vmx } from "@vmx/sdk";
import { type Input, UsageError } from "./command.ts";
import { chooseTarget } from "./connect.ts";
import {
  entities,
  type Entity,
  findEntity,
  operandsOf,
  type Operation,
  scopeOf,
  type Verb,
  wordsFor,
} from "./entities.ts";
import { kebab } from "./entities.ts";
import { nearest } from "../kit/nearest.ts";
import type { Row } from "./output.ts";

/** An operation that is called by what the document says about it, not by a method of the client. */
export interface Call {
  readonly operation: Operation;
  readonly path: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, unknown>> | undefined;
  readonly body?: unknown;
}

/** Calls an operation of the table. */
export async function callOperation(
  vmx: Vmx,
  { operation, path, query, body }: Call,
  options?: CallOptions,
): Promise<Row> {
  // The table comes from the same document as the client's types.
  const input = { path, ...(query ? { query } : {}), ...(body === undefined ? {} : { body }) };
  return await vmx.call(operation.id as OperationId, input as never, options) as Row;
}

/** Reads a list of the table, at most `limit` objects. */
export async function listOperation(
  vmx: Vmx,
  { operation, path, query }: Call,
  limit: number,
): Promise<Row[]> {
  const input = { path, ...(query ? { query } : {}) };
  const list = vmx.list(operation.id as "listUsers", input as never);
  return await list.toArray({ limit }) as unknown as Row[];
}

/** The entity the first operand names. Throws a UsageError for a word that is none. */
export function requireEntity(word: string | undefined, verb: Verb): Entity {
  const able = entities().filter(({ operations }) => operations[verb]);
  if (word === undefined) {
    throw new UsageError(`Say what to ${verb}: ${able.map(({ name }) => name).join(", ")}`);
  }
  const entity = findEntity(word);
  if (!entity) {
    const meant = nearest(word.toLowerCase(), entities().flatMap(wordsFor));
    throw new UsageError(
      `There is no entity "${word}"` +
        (meant === undefined
          ? `. There is ${entities().map(({ name }) => name).join(", ")}`
          : `; did you mean ${meant}?`),
    );
  }
  return entity;
}

/** An operation of an entity. Throws a UsageError when the API has none of that kind. */
export function requireOperation(entity: Entity, verb: Verb): Operation {
  const operation = entity.operations[verb];
  if (operation) return operation;
  const able = Object.keys(entity.operations).join(", ");
  throw new UsageError(`Cannot ${verb} ${entity.plural}: the API offers ${able}`);
}

/**
 * Fills the path of an operation in, from the chosen scope and from operands.
 *
 * Throws a UsageError when there are too few operands or too many.
 */
export async function pathFor(
  input: Input,
  entity: Entity,
  operation: Operation,
  operands: readonly string[],
): Promise<Record<string, string>> {
  const wanted = operandsOf(entity, operation);
  if (operands.length !== wanted.length) {
    const names = wanted.map((parameter) => kebab(parameter).replace(/-id$/, "").toUpperCase());
    throw new UsageError(
      wanted.length === 0
        ? `${entity.name} takes no name here`
        : `Name what is meant: ${entity.name} ${names.join(" ")}`,
    );
  }
  const target = await chooseTarget(input);
  const scope = { workspaceId: target.workspace, environmentId: target.environment };
  return {
    ...Object.fromEntries(
      scopeOf(entity, operation).map((name) => [name, scope[name as keyof typeof scope]]),
    ),
    ...Object.fromEntries(wanted.map((name, index) => [name, operands[index]!])),
  };
}
