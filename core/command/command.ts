import type { Vmx } from "@vmx/sdk";
import type { Format } from "./output.ts";
import type { Terminal } from "./terminal.ts";

/** An option of a command, `--name`. */
export interface Flag {
  readonly type: "string" | "boolean";
  readonly short?: string;
  /** Whether it may be given several times. */
  readonly multiple?: boolean;
  /** What stands for the value in the help, such as `NAME`. */
  readonly value?: string;
  readonly description: string;
  /** Values it takes, for completion and checks. */
  readonly choices?: readonly string[];
}

/** Options by name. */
export type Flags = Readonly<Record<string, Flag>>;

/** What a command is given. */
export interface Input {
  readonly positionals: readonly string[];
  /** Text of an option; the last one when it was given several times. */
  text(name: string): string | undefined;
  /** All texts of an option. */
  texts(name: string): readonly string[];
  /** Whether a switch is on; undefined when it was not given. */
  flag(name: string): boolean | undefined;
  readonly format: Format;
  readonly terminal: Terminal;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Client for the chosen gateway, made at first use. */
  vmx(): Promise<Vmx>;
}

/** A command of `vmx`. */
export interface Command {
  /** Words that call it, such as `key roll`. */
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** What follows the words, such as `NAME`. */
  readonly operands?: string;
  /** Further paragraphs of the help. */
  readonly details?: readonly string[];
  readonly flags?: Flags;
  /** Options that depend on the operands, such as those of an entity. */
  readonly flagsFor?: (positionals: readonly string[]) => Flags;
  readonly examples: readonly string[];
  /** Whether it speaks to a gateway, and so takes the options that choose one. */
  readonly remote?: boolean;
  /** Does the work. What it answers is the exit code; 0 when it answers nothing. */
  readonly run: (input: Input) => Promise<number | void>;
}

/** A command line that makes no sense. The message says what would. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** Work that failed for a reason that is no error of the gateway. */
export class CommandError extends Error {
  override readonly name = "CommandError";
  readonly exitCode: number;

  constructor(message: string, exitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}
