import type { Command } from "./command.ts";

type Load = () => Promise<Command>;

/**
 * Every command by its words, in the order of the help. Each is loaded when it is called: a start must not wait for
 * what only others need.
 */
export const catalogue: Readonly<Record<string, Load>> = {
  start: async () => (await import("./commands/start.ts")).start,
  doctor: async () => (await import("./commands/doctor.ts")).doctor,
  login: async () => (await import("./commands/login.ts")).login,
  logout: async () => (await import("./commands/login.ts")).logout,
  "context list": async () => (await import("./commands/context.ts")).contextList,
  "context use": async () => (await import("./commands/context.ts")).contextUse,
  "context set": async () => (await import("./commands/context.ts")).contextSet,
  "context delete": async () => (await import("./commands/context.ts")).contextDelete,
  get: async () => (await import("./commands/get.ts")).get,
  describe: async () => (await import("./commands/describe.ts")).describe,
  create: async () => (await import("./commands/create.ts")).create,
  update: async () => (await import("./commands/update.ts")).update,
  delete: async () => (await import("./commands/delete.ts")).remove,
  "connection test": async () => (await import("./commands/connection.ts")).connectionTest,
  "connection rotate": async () => (await import("./commands/connection.ts")).connectionRotate,
  "resource route-test": async () => (await import("./commands/resource.ts")).resourceRouteTest,
  "key create": async () => (await import("./commands/key.ts")).keyCreate,
  "key roll": async () => (await import("./commands/key.ts")).keyRoll,
  "audit tail": async () => (await import("./commands/audit.ts")).auditTail,
  "audit show": async () => (await import("./commands/audit.ts")).auditShow,
  "audit export": async () => (await import("./commands/audit.ts")).auditExport,
  "usage report": async () => (await import("./commands/usage.ts")).usageReport,
  "policy simulate": async () => (await import("./commands/policy.ts")).policySimulate,
  "plugin list": async () => (await import("./commands/plugin.ts")).pluginList,
  "plugin test": async () => (await import("./commands/plugin.ts")).pluginTest,
  completion: async () => (await import("./commands/completion.ts")).completion,
  complete: async () => (await import("./commands/completion.ts")).complete,
};

/** Commands that the help does not list: they are for programs. */
export const unlisted: ReadonlySet<string> = new Set(["complete"]);

/** The command a line calls, and where its operands begin. */
export function findCommand(
  args: readonly string[],
): { readonly name: string; readonly rest: readonly string[] } | undefined {
  const two = args.slice(0, 2).join(" ");
  if (Object.hasOwn(catalogue, two)) return { name: two, rest: args.slice(2) };
  const [one = ""] = args;
  return Object.hasOwn(catalogue, one) ? { name: one, rest: args.slice(1) } : undefined;
}

/** The commands that are listed, loaded. */
export async function allCommands(): Promise<Command[]> {
  const listed = Object.entries(catalogue).filter(([name]) => !unlisted.has(name));
  return await Promise.all(listed.map(([, load]) => load()));
}
