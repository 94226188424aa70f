import { ConnectionError, VmxError } from "@vmx/sdk";
import { StartError } from "../start-error.ts";
import { CommandError, UsageError } from "./command.ts";

/** What the exit code of `vmx` says. */
export const exitCodes = {
  ok: 0,
  failed: 1,
  usage: 2,
  access: 3,
  notFound: 4,
  conflict: 5,
  invalid: 6,
  unreachable: 7,
} as const;

/** The exit codes in words, for the documentation. */
export const exitCodeMeanings: Readonly<Record<number, string>> = {
  0: "done",
  1: "failed: the gateway's fault, or a test that did not pass",
  2: "the command line makes no sense",
  3: "not signed in, or not allowed",
  4: "no such object",
  5: "conflict: exists already, is in use, or changed meanwhile",
  6: "the input is not valid",
  7: "the gateway cannot be reached",
};

const byStatus: Readonly<Record<number, number>> = {
  400: exitCodes.invalid,
  401: exitCodes.access,
  403: exitCodes.access,
  404: exitCodes.notFound,
  409: exitCodes.conflict,
  412: exitCodes.conflict,
  413: exitCodes.invalid,
  415: exitCodes.invalid,
};

/** The exit code an error stands for. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof UsageError) return exitCodes.usage;
  if (error instanceof CommandError) return error.exitCode;
  if (error instanceof ConnectionError) return exitCodes.unreachable;
  if (error instanceof VmxError) return byStatus[error.status ?? 0] ?? exitCodes.failed;
  return exitCodes.failed;
}

/** What an error says to people: what failed, which fields, the request's id, and what to try next. */
export function describeError(error: unknown): string {
  if (error instanceof UsageError || error instanceof CommandError || error instanceof StartError) {
    return error.message;
  }
  if (!(error instanceof VmxError)) {
    return error instanceof Error ? error.stack ?? error.message : String(error);
  }
  const lines = [`${error.message} (${error.code})`];
  for (const { path, message } of error.faults) lines.push(`  ${path || "/"}: ${message}`);
  const references = error.problem?.["references"];
  if (Array.isArray(references)) {
    for (const { resourceName, slot } of references) {
      lines.push(`  used by ${resourceName}: ${slot}`);
    }
  }
  if (error.requestId !== undefined) lines.push(`Request ${error.requestId}`);
  const next = nextStep(error);
  if (next !== undefined) lines.push(`Try: ${next}`);
  return lines.join("\n");
}

function nextStep(error: VmxError): string | undefined {
  if (error instanceof ConnectionError) return "vmx doctor";
  if (error.code === "PASSWORD_CHANGE_REQUIRED" || error.status === 401) return "vmx login";
  if (error.code === "CONNECTION_IN_USE" || error.code === "ROLE_IN_USE") {
    return "the same command with --detach";
  }
  return undefined;
}
