import { ConflictError } from "@vmx/sdk";
import { stringify } from "yaml";
import { callOperation, pathFor, requireEntity, requireOperation } from "../call.ts";
import { type Command, type Flags, type Input, UsageError } from "../command.ts";
import { type Entity, findEntity, operandsOf } from "../entities.ts";
import { type Body, flagsOfBody, type GivenBody, membersOf, readBody } from "../object-body.ts";
import { nameOf, type Row, writeOne } from "../output.ts";
import { checkSecrets } from "../visible-secrets.ts";

/** Options of everything that creates, beside those of the object. */
export const createFlags: Flags = {
  "dry-run": { type: "boolean", description: "prints what would be sent, secrets masked" },
  "or-update": {
    type: "boolean",
    description: "changes the object that has this name already, if there is one",
  },
};

/** `vmx create`: makes an object. */
export const create: Command = {
  name: "create",
  summary: "creates an object, from options, from a file, or from both",
  operands: "ENTITY [NAME]",
  details: [
    "Every field of the object has an option; --set reaches inside. Secrets come from a variable, a file or " +
    "standard input, never from the command line. What is shown once, such as the value of a key, is printed.",
    "With --or-update a script can run again: an object of that name is changed instead, its password excepted.",
  ],
  flagsFor: ([word]) => {
    const operation = word === undefined ? undefined : findEntity(word)?.operations.create;
    return {
      ...(operation ? flagsOfBody(operation) : {}),
      ...createFlags,
    };
  },
  examples: [
    "vmx create connection local --provider echo",
    "vmx create connection main --provider PROVIDER --secret-from-env apiKey=PROVIDER_API_KEY",
    "vmx create resource chat --set model.connectionName=local --set model.model=echo --or-update",
    "vmx create key app --resources chat --labels ci -o json",
    "vmx create role reader -f role.yaml",
    "vmx create user ana --email ana@example.com --first-name Ana --last-name Lima " +
    "--secret-from-file password=password.txt",
  ],
  remote: true,
  run: (input) => createObject(input, input.positionals),
};

/** Creates the object that entity word and name say, with the options' body. */
export async function createObject(
  input: Input,
  [word, ...rest]: readonly string[],
): Promise<void> {
  const entity = requireEntity(word, "create");
  const operation = requireOperation(entity, "create");
  const operands = operandsOf(entity, operation);
  const given = await readBody(input, operation);
  const { body } = given;
  const named = nameMember(entity);
  const name = rest.length === operands.length + 1 ? rest.at(-1) : undefined;
  if (named !== undefined && name !== undefined) body[named] = name;
  const above = named !== undefined && name !== undefined ? rest.slice(0, -1) : rest;
  const path = await pathFor(input, entity, operation, above);
  await checkSecrets(input, given, body["provider"]);
  if (input.flag("dry-run")) return input.terminal.out(stringify(masked(given)));
  const vmx = await input.vmx();
  if (!input.flag("or-update")) {
    return tell(input, entity, await callOperation(vmx, { operation, path, body }), "created");
  }
  const change = await changeOf(input, entity, above, body);
  try {
    tell(input, entity, await callOperation(vmx, { operation, path, body }), "created");
  } catch (error) {
    if (!isTaken(error)) throw error;
    tell(input, entity, await callOperation(vmx, change), "changed");
  }
}

/** The call that changes the object of the body's name into what the body says. */
async function changeOf(input: Input, entity: Entity, above: readonly string[], body: Body) {
  const operation = requireOperation(entity, "update");
  const member = nameMember(entity);
  const name = member === undefined ? undefined : body[member];
  if (member === undefined || typeof name !== "string") {
    throw new UsageError("--or-update needs a name");
  }
  const members = membersOf(operation);
  const change = Object.entries(body).filter(([key]) =>
    key !== member && members[key] !== undefined && !members[key].writeOnly
  );
  const path = await pathFor(input, entity, operation, [...above, name]);
  return { operation, path, body: Object.fromEntries(change) };
}

/** Whether a creation was refused because there is an object of that name. */
function isTaken(error: unknown): boolean {
  return error instanceof ConflictError &&
    /_ALREADY_EXISTS$|^USER_USERNAME_IN_USE$/.test(error.code);
}

/** Prints what came of a change; what is shown once is pointed out. */
export function tell(input: Input, entity: Entity, row: Row | undefined, done: string): void {
  const { terminal, format } = input;
  if (row === undefined) return;
  const once = ["value", "token"].find((member) => typeof row[member] === "string");
  const object = Array.isArray(row["data"]) ? row["data"] as unknown as Row : row;
  // What there is one of has the ids of what it lies in alone.
  const name = entity.parameter === undefined && !entity.operations.list ? "" : nameOf(object);
  if (format === "table" || format === "wide") {
    terminal.say(`${entity.name} ${name} ${done}`.replace("  ", " "));
    // Alone on standard output, so that it can be piped to where it is kept.
    if (once !== undefined) {
      terminal.say(`Its ${once} is shown this once:`);
      terminal.out(`${String(row[once])}\n`);
    }
    return;
  }
  terminal.out(writeOne(object, format));
}

/** The member that the operand gives: what people call such an object. */
function nameMember(entity: Entity): string | undefined {
  const members = entity.operations.create ? membersOf(entity.operations.create) : {};
  return ["username", "name"].find((member) => member in members);
}

/** The body as it may be shown: without secrets, and without what a file says of a configuration. */
function masked({ body, visible, secret }: GivenBody): unknown {
  const mask = (value: unknown, path: string): unknown => {
    if (secret.includes(path)) return "********";
    if (typeof value === "object" && value !== null && !Array.isArray(value)) {
      return Object.fromEntries(
        Object.entries(value).map(([name, inner]) => [name, mask(inner, `${path}.${name}`)]),
      );
    }
    return path.startsWith("config.") && !visible.includes(path) ? "********" : value;
  };
  return Object.fromEntries(Object.entries(body).map(([name, value]) => [name, mask(value, name)]));
}
