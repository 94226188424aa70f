import { type CacheMark, GatewayError, type JsonObject, type Warning } from "@vmx/core/contract";
import type { NameAlphabet, ToolNames } from "@vmx/core/kit";
import type { MessagesProfile } from "./profile.ts";
import { dialectId } from "./read-json.ts";

/** What the encoder of a request carries along. */
export interface EncodeContext {
  readonly profile: MessagesProfile;
  /** The family reasoning signatures may go to. */
  readonly family: string;
  readonly names: ToolNames;
  /** Notes a loss, once per code and path. */
  warn(warning: Warning): void;
}

/** What tool names and call ids are made of (Messages API reference, `tools[].name`). */
export const nameAlphabet: NameAlphabet = { forbidden: /[^a-zA-Z0-9_-]/g, maxLength: 128 };

/** Collects warnings and leaves out those that repeat another. */
export function createWarnings(): { readonly list: Warning[]; warn(warning: Warning): void } {
  const list: Warning[] = [];
  return {
    list,
    warn(warning) {
      const known = list.some(({ code, path }) => code === warning.code && path === warning.path);
      if (!known) list.push(warning);
    },
  };
}

/** The warning for a parameter that is left out. */
export function dropped(path: string, detail?: string): Warning {
  return {
    code: "parameter_dropped",
    path,
    action: "dropped",
    ...(detail === undefined ? {} : { detail }),
  };
}

/** Writes a cache mark; the dialect knows lifetimes of 5 minutes and an hour. */
export function writeCache(cache: CacheMark | undefined): JsonObject | undefined {
  if (!cache) return undefined;
  const { ttl } = cache;
  return { type: "ephemeral", ...(ttl === "5m" || ttl === "1h" ? { ttl } : {}) };
}

/** Throws `unsupported_content` for what the dialect has no place for. */
export function refuseContent(what: string, path: string): never {
  throw new GatewayError(
    "unsupported_content",
    `Cannot write the request in the dialect "${dialectId}": it has no place for ${what} (${path})`,
    { param: path },
  );
}

/** Throws `state_not_portable` for what only the provider that keeps it can read. */
export function refuseState(what: string, path: string): never {
  throw new GatewayError(
    "state_not_portable",
    `Cannot write the request in the dialect "${dialectId}": ${what} is known to another service (${path})`,
    { param: path },
  );
}
