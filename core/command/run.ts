import process from "node:process";
import { nearest } from "../kit/nearest.ts";
import { catalogue, findCommand, unlisted } from "./catalogue.ts";
import type { Command } from "./command.ts";

/** Runs one `vmx` command; without any word it is `start`. The exit code tells how it went. */
export async function runCommand(args: readonly string[]): Promise<void> {
  // A reader who has seen enough closes the pipe; that is no fault.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    process.exit(process.exitCode ?? 0);
  });
  const [first = "start"] = args;
  if (first === "help" || first === "--help" || first === "-h") {
    return await showHelp(args.slice(1));
  }
  if (first === "--version" || first === "-v") {
    const { version } = await import("../version.ts");
    return void process.stdout.write(`${version}\n`);
  }
  if (first === "start" && args.length <= 1) {
    // Ready soon: what only options and other commands need is not loaded.
    const { start } = await import("./start.ts");
    return await start(process.env);
  }
  const found = findCommand(args);
  if (!found) return refuse(args);
  process.exitCode = await runOne(await catalogue[found.name]!(), found.rest);
}

async function runOne(command: Command, args: readonly string[]): Promise<number> {
  const { describeError, exitCodeOf } = await import("./exit-codes.ts");
  try {
    const { createInput } = await import("./input.ts");
    const input = createInput(command, args);
    if (input.flag("help")) {
      const { helpOf } = await import("./help.ts");
      process.stdout.write(helpOf(command, input.positionals));
      return 0;
    }
    return await command.run(input) ?? 0;
  } catch (error) {
    process.stderr.write(`${describeError(error)}\n`);
    const code = exitCodeOf(error);
    if (code === 2) process.stderr.write(`Help: vmx ${await helpNameOf(command, args)} --help\n`);
    return code;
  }
}

/** The command, with the entity where its help depends on that. */
async function helpNameOf(command: Command, args: readonly string[]): Promise<string> {
  const [word] = args;
  if (!command.operands?.startsWith("ENTITY") || word === undefined) return command.name;
  const { findEntity } = await import("./entities.ts");
  return findEntity(word) ? `${command.name} ${word}` : command.name;
}

async function showHelp(words: readonly string[]): Promise<void> {
  const found = findCommand(words);
  if (words.length > 0 && !found) return refuse(words);
  const { helpOf, helpOfAll } = await import("./help.ts");
  const text = found ? helpOf(await catalogue[found.name]!(), found.rest) : await helpOfAll();
  process.stdout.write(text);
}

function refuse(args: readonly string[]): void {
  const names = Object.keys(catalogue).filter((name) => !unlisted.has(name));
  const [one = "", two] = args;
  // `vmx key rol`: the first word is right, so what is meant begins with it.
  const family = names.filter((name) => name.startsWith(`${one} `));
  const given = family.length > 0 && two !== undefined ? `${one} ${two}` : one;
  const meant = nearest(given, family.length > 0 ? family : names);
  process.stderr.write(
    `No command is named "${given}"` +
      (meant !== undefined
        ? `; did you mean vmx ${meant}?\n`
        : family.length > 0
        ? `. There is ${family.map((name) => `vmx ${name}`).join(", ")}\n`
        : ". List them: vmx help\n"),
  );
  process.exitCode = 2;
}
