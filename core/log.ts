import pino from "pino";
import type { Log, LogFields } from "./contract/index.ts";

/** How log lines are written. */
export interface LogSettings {
  readonly level: "fatal" | "error" | "warn" | "info" | "debug" | "trace" | "silent";
  readonly format: "json" | "text";
  /** Where lines go; standard error when absent, so that standard output stays data. */
  readonly write?: (line: string) => void;
  /** Takes secrets out of texts. */
  readonly redact?: (text: string) => string;
}

/** A log that can be narrowed to a part of the gateway. */
export interface RootLog extends Log {
  /** A log whose lines carry a name. */
  named(name: string): RootLog;
}

/** Creates the gateway's log. */
export function createLog(settings: LogSettings): RootLog {
  const write = settings.write ?? ((line: string) => void process.stderr.write(line));
  const destination = {
    write(line: string) {
      const safe = escapeControls(settings.redact ? settings.redact(line) : line);
      write(settings.format === "json" ? safe : toText(safe));
    },
  };
  const logger = pino({
    level: settings.level,
    base: undefined,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    messageKey: "message",
    serializers: { error: serialiseError },
  }, destination);
  return wrap(logger);
}

function wrap(logger: pino.Logger): RootLog {
  const at =
    (level: "debug" | "info" | "warn" | "error") => (message: string, fields?: LogFields) =>
      fields ? logger[level](fields, message) : logger[level](message);
  return {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    named: (name) => wrap(logger.child({ name })),
  };
}

function serialiseError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { code } = error as { code?: unknown };
  return {
    type: error.name,
    message: error.message,
    ...(code === undefined ? {} : { code }),
    stack: error.stack,
    // Whatever else libraries hang on an error may be the body of an answer, and hold anything.
    ...(error.cause instanceof Error ? { cause: serialiseError(error.cause) } : {}),
  };
}

// JSON escapes C0 already; these move a terminal's cursor, end a line or turn the writing round as well.
const controls = /[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** Escapes what could make a line look like something it is not; inside JSON the escapes mean the same. */
function escapeControls(text: string): string {
  return text.replace(
    controls,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

const colours: Record<string, string> = { warn: "\x1b[33m", error: "\x1b[31m", fatal: "\x1b[31m" };

/** One line for people: time, level where it matters, text, fields. */
function toText(line: string): string {
  const { time, level, message, name, error, ...fields } = JSON.parse(line) as Record<
    string,
    unknown
  >;
  const colour = process.stderr.isTTY ? colours[String(level)] : undefined;
  const mark = level === "info" ? "" : `${String(level)}: `;
  const rest = Object.entries(fields).map(([key, value]) =>
    ` ${visible(key)}=${escapeControls(JSON.stringify(value))}`
  );
  // Further lines are indented: nothing in an error can begin a line of the log.
  const cause = error === undefined
    ? ""
    : `\n  ${describe(error).split(/\r\n|\n/).map(visible).join("\n    ")}`;
  const text = `${String(time).slice(11, 19)} ${mark}${
    name === undefined ? "" : `[${String(name)}] `
  }${visible(String(message))}${rest.join("")}${cause}`;
  return colour ? `${colour}${text}\x1b[0m\n` : `${text}\n`;
}

/** A text in which control characters show as escapes. */
function visible(text: string): string {
  const plain = text.replace(
    // deno-lint-ignore no-control-regex
    /[\x00-\x08\x0a-\x1f]/g,
    (character) => JSON.stringify(character).slice(1, -1),
  );
  return escapeControls(plain);
}

function describe(error: unknown): string {
  if (typeof error !== "object" || error === null) return String(error);
  const { stack, message, cause } = error as { stack?: string; message?: string; cause?: unknown };
  const own = stack ?? message ?? JSON.stringify(error);
  return cause === undefined ? own : `${own}\n  caused by ${describe(cause)}`;
}
