import { Vmx } from "@vmx/sdk";
import { type Flags, type Input, UsageError } from "./command.ts";
import { type Context, type Contexts, readContexts } from "./contexts.ts";
import { nearest } from "../kit/nearest.ts";

/** Options that choose a gateway and what is worked on. */
export const remoteFlags: Flags = {
  context: { type: "string", value: "NAME", description: "context to use instead of the current" },
  "base-url": { type: "string", value: "URL", description: "address of the gateway" },
  workspace: { type: "string", short: "w", value: "NAME", description: "workspace, by name or id" },
  environment: {
    type: "string",
    short: "e",
    value: "NAME",
    description: "environment, by name or id",
  },
};

/** A gateway that was chosen. */
export interface Target extends Context {
  readonly workspace: string;
  readonly environment: string;
  /** Name of the context; undefined when the gateway was chosen without one. */
  readonly context: string | undefined;
}

type Chooser = Pick<Input, "text" | "environment">;

/** Which gateway to speak to: options go before variables, variables before the context. */
export async function chooseTarget({ text, environment }: Chooser): Promise<Target> {
  const wanted = text("context") ?? environment["VMX_CONTEXT"];
  const contexts = await readContexts(environment);
  const name = wanted ?? contexts.current;
  const context = name === undefined ? undefined : contexts.contexts[name];
  if (wanted !== undefined && !context) throw unknownContext(wanted, contexts);
  const baseUrl = text("base-url") || environment["VMX_BASE_URL"] || context?.baseUrl ||
    "http://127.0.0.1:3000";
  // A token goes to the gateway it was made by, and to no other address.
  const stored = sameGateway(context?.baseUrl, baseUrl) ? context?.token : undefined;
  const token = environment["VMX_TOKEN"] || stored;
  return {
    baseUrl,
    ...(token === undefined ? {} : { token }),
    workspace: text("workspace") || environment["VMX_WORKSPACE"] || context?.workspace || "default",
    environment: text("environment") || environment["VMX_ENVIRONMENT"] || context?.environment ||
      "default",
    context: context ? name : undefined,
  };
}

/** A client for the chosen gateway. */
export async function connect(chooser: Chooser): Promise<Vmx> {
  const { baseUrl, token, workspace, environment } = await chooseTarget(chooser);
  return createClient({ baseUrl, workspace, environment, ...(token ? { token } : {}) });
}

/** A client; its variables have been read already. Throws a UsageError for an address that is none. */
export function createClient(options: ConstructorParameters<typeof Vmx>[0]): Vmx {
  try {
    return new Vmx({ token: "", ...options });
  } catch (error) {
    throw error instanceof TypeError ? new UsageError(error.message) : error;
  }
}

/** The error of a context nobody made. */
export function unknownContext(name: string, { contexts }: Contexts): UsageError {
  const meant = nearest(name, Object.keys(contexts));
  return new UsageError(
    `No context is named "${name}"` +
      (meant === undefined ? ". List them: vmx context list" : `; did you mean ${meant}?`),
  );
}

function sameGateway(one: string | undefined, other: string): boolean {
  if (one === undefined || !URL.canParse(one) || !URL.canParse(other)) return false;
  return new URL(one).origin === new URL(other).origin;
}
