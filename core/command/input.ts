import process from "node:process";
import { operandsAmong, readArguments } from "./arguments.ts";
import type { Command, Input } from "./command.ts";
import { connect } from "./connect.ts";
import { flagsOf } from "./help.ts";
import { readFormat } from "./output.ts";
import { createTerminal } from "./terminal.ts";

/** Reads a command line. Throws a UsageError when it makes no sense. */
export function createInput(command: Command, args: readonly string[]): Input {
  // Which options there are may depend on the operands: a first reading finds those.
  const operands = operandsAmong(args, flagsOf(command));
  const { positionals, values } = readArguments(args, flagsOf(command, operands));
  const texts = (name: string): readonly string[] => {
    const value = values[name];
    return Array.isArray(value) ? value : [];
  };
  const input: Input = {
    positionals,
    texts,
    text: (name) => texts(name).at(-1),
    flag: (name) => {
      const value = values[name];
      return typeof value === "boolean" ? value : undefined;
    },
    format: readFormat(texts("output").at(-1)),
    terminal: createTerminal(),
    environment: process.env,
    vmx: () => connect(input),
  };
  return input;
}
