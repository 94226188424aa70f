import { stringify } from "yaml";
import { callOperation, pathFor, requireEntity, requireOperation } from "../call.ts";
import { type Command, type Input } from "../command.ts";
import { type Entity, findEntity, operandsOf } from "../entities.ts";
import { flagsOfBody, type GivenBody, membersOf, readBody } from "../object-body.ts";
import { nameOf, type Row, writeOne } from "../output.ts";
import { checkSecrets } from "../visible-secrets.ts";

/** `vmx create`: makes an object. */
export const create: Command = {
  name: "create",
  summary: "creates an object, from options, from a file, or from both",
  operands: "ENTITY [NAME]",
  details: [
    "Every field of the object has an option; --set reaches inside. Secrets come from a variable, a file or " +
    "standard input, never from the command line. What is shown once, such as the value of a key, is printed.",
  ],
  flagsFor: ([word]) => {
    const operation = word === undefined ? undefined : findEntity(word)?.operations.create;
    return {
      ...(operation ? flagsOfBody(operation) : {}),
      "dry-run": { type: "boolean", description: "prints what would be sent, secrets masked" },
    };
  },
  examples: [
    "vmx create connection local --provider echo",
    "vmx create connection main --provider PROVIDER --secret-from-env apiKey=PROVIDER_API_KEY",
    "vmx create resource chat --set model.connectionName=local --set model.model=echo",
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
  const row = await callOperation(await input.vmx(), { operation, path, body });
  tell(input, entity, row, "created");
}

/** Prints what came of a change; what is shown once is pointed out. */
export function tell(input: Input, entity: Entity, row: Row | undefined, done: string): void {
  const { terminal, format } = input;
  if (row === undefined) return;
  const once = ["value", "token"].find((member) => typeof row[member] === "string");
  const object = Array.isArray(row["data"]) ? row["data"] as unknown as Row : row;
  const name = nameOf(object);
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
