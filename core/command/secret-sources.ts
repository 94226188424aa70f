import { readFile } from "node:fs/promises";
import { CommandError, type Flags, type Input, UsageError } from "./command.ts";

/*
 * Secrets never stand on a command line, where every process of the machine and the shell's history see them: they
 * come from a variable, a file or standard input.
 */

type Reader = Pick<Input, "text" | "texts" | "environment" | "terminal">;

/** Options that give one secret, such as `--password-from-env`. */
export function secretFlags(name: string, what: string): Flags {
  return {
    [`${name}-from-env`]: { type: "string", value: "VARIABLE", description: `${what}: a variable` },
    [`${name}-from-file`]: { type: "string", value: "FILE", description: `${what}: a file` },
    [`${name}-from-stdin`]: { type: "boolean", description: `${what}: standard input` },
  };
}

/** Reads the secret of `secretFlags`; undefined when no option gives it. */
export async function readSecret(
  input: Reader & Pick<Input, "flag">,
  name: string,
): Promise<string | undefined> {
  const variable = input.text(`${name}-from-env`);
  const file = input.text(`${name}-from-file`);
  if (variable !== undefined) return fromVariable(input, variable);
  if (file !== undefined) return await fromFile(file);
  if (input.flag(`${name}-from-stdin`)) return await fromInput(input);
  return undefined;
}

/** Options that give secrets inside an object. */
export const memberSecretFlags: Flags = {
  "secret-from-env": {
    type: "string",
    multiple: true,
    value: "FIELD=VARIABLE",
    description: "takes a secret field from a variable",
  },
  "secret-from-file": {
    type: "string",
    multiple: true,
    value: "FIELD=FILE",
    description: "takes a secret field from a file",
  },
  "secret-from-stdin": {
    type: "string",
    value: "FIELD",
    description: "takes a secret field from standard input",
  },
};

/** Reads the secrets of `memberSecretFlags`: paths and values. */
export async function readMemberSecrets(
  input: Reader,
): Promise<(readonly [path: string, value: string])[]> {
  const found: (readonly [string, string])[] = [];
  for (const text of input.texts("secret-from-env")) {
    const [field, variable] = pair(text, "secret-from-env", "VARIABLE");
    found.push([field, fromVariable(input, variable)]);
  }
  for (const text of input.texts("secret-from-file")) {
    const [field, file] = pair(text, "secret-from-file", "FILE");
    found.push([field, await fromFile(file)]);
  }
  const field = input.text("secret-from-stdin");
  if (field !== undefined) found.push([field, await fromInput(input)]);
  return found;
}

function pair(text: string, flag: string, what: string): readonly [string, string] {
  const [, field, source] = /^([^=]+)=(.+)$/s.exec(text) ?? [];
  if (field !== undefined && source !== undefined) return [field, source];
  throw new UsageError(`--${flag} takes FIELD=${what}, such as apiKey=SOURCE`);
}

function fromVariable({ environment }: Pick<Input, "environment">, name: string): string {
  const value = environment[name];
  if (value) return value;
  // The name may be a secret that was pasted in its place: it is not repeated.
  throw new CommandError(
    /^[A-Za-z_]\w{0,60}$/.test(name)
      ? `Cannot read the secret: the variable ${name} is not set`
      : "Cannot read the secret: what was given is no name of a variable",
    2,
  );
}

async function fromFile(file: string): Promise<string> {
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    throw new CommandError(`Cannot read the secret from ${file}: ${error.code}`, 2);
  });
  return required(text, file);
}

async function fromInput({ terminal }: Pick<Input, "terminal">): Promise<string> {
  if (terminal.interactive) return required(await terminal.ask("Secret: ", true), "the terminal");
  return required(await terminal.readInput(), "standard input");
}

/** The line end that editors and `echo` add is no part of a secret. */
function required(text: string, source: string): string {
  const secret = text.replace(/\r?\n$/, "");
  if (secret !== "") return secret;
  throw new CommandError(`Cannot read the secret from ${source}: it is empty`, 2);
}
