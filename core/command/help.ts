import { allCommands } from "./catalogue.ts";
import type { Command, Flags } from "./command.ts";
import { remoteFlags } from "./connect.ts";
import { exitCodeMeanings } from "./exit-codes.ts";
import { formats } from "./output.ts";

/** Options that every command takes. */
export const commonFlags: Flags = {
  output: {
    type: "string",
    short: "o",
    value: formats.join("|"),
    choices: formats,
    description: "format of the data; table when absent",
  },
  help: { type: "boolean", short: "h", description: "shows this text" },
};

/** Every option of a command. */
export function flagsOf(command: Command, positionals: readonly string[] = []): Flags {
  return {
    ...command.flags,
    ...command.flagsFor?.(positionals),
    ...(command.remote ? remoteFlags : {}),
    ...commonFlags,
  };
}

/** What `vmx help` says. */
export async function helpOfAll(): Promise<string> {
  const commands = await allCommands();
  const width = Math.max(...commands.map((command) => callOf(command).length));
  return [
    "vmx: a gateway for AI traffic, and everything that can be set up in it",
    "",
    "Usage: vmx COMMAND [OPERANDS] [OPTIONS]",
    "",
    ...commands.map((command) => `  ${callOf(command).padEnd(width)}  ${command.summary}`),
    "",
    "Data goes to standard output, talk to standard error. Exit codes:",
    ...Object.entries(exitCodeMeanings).map(([code, meaning]) => `  ${code}  ${meaning}`),
    "",
    "vmx COMMAND --help tells more about a command.",
    "",
  ].join("\n");
}

/** What `vmx COMMAND --help` says. */
export function helpOf(command: Command, positionals: readonly string[] = []): string {
  const own = { ...command.flags, ...command.flagsFor?.(positionals) };
  return [
    `vmx ${command.name}: ${command.summary}`,
    "",
    `Usage: vmx ${callOf(command)} [OPTIONS]`,
    ...(command.details ?? []).flatMap((paragraph) => ["", ...wrap(paragraph, 96)]),
    ...section("Options", own),
    ...section("Which gateway", command.remote ? remoteFlags : {}),
    ...section("Common options", commonFlags),
    "",
    "Examples:",
    ...command.examples.map((example) => `  ${example}`),
    "",
  ].join("\n");
}

/** A command with its operands. */
export function callOf({ name, operands }: Command): string {
  return operands === undefined ? name : `${name} ${operands}`;
}

function section(title: string, flags: Flags): string[] {
  const entries = Object.entries(flags);
  if (entries.length === 0) return [];
  const calls = entries.map(([name, { short, type, value }]) =>
    `${short ? `-${short}, ` : ""}--${name}${type === "string" ? ` ${value ?? "TEXT"}` : ""}`
  );
  const width = Math.min(36, Math.max(...calls.map((call) => call.length)));
  return [
    "",
    `${title}:`,
    ...entries.flatMap(([, { description }], index) => {
      const call = calls[index]!;
      const [first = "", ...others] = wrap(description, 94 - width);
      const indent = " ".repeat(width + 4);
      const lines = call.length > width
        ? [`  ${call}`, `${indent}${first}`]
        : [`  ${call.padEnd(width)}  ${first}`];
      return [...lines, ...others.map((line) => indent + line)];
    }),
  ];
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(/\s+/)) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length < width) {
      lines[lines.length - 1] = `${last} ${word}`;
    } else lines.push(word);
  }
  return lines;
}
