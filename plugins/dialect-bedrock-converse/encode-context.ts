import { GatewayError, type Warning } from "@vmx/core/contract";
import type { ToolNames } from "@vmx/core/kit";
import type { ConverseProfile } from "./profile.ts";
import { dialectId } from "./read-json.ts";

/** What the encoder of a request carries along. */
export interface EncodeContext {
  readonly profile: ConverseProfile;
  /** The family reasoning signatures may go to. */
  readonly family: string;
  readonly toolNames: ToolNames;
  readonly documentName: (name: string | undefined) => string;
  readonly warnings: Warning[];
}

/** Notes that a member of the caller's body has no place here. */
export function dropped(path: string, detail?: string): Warning {
  return {
    code: "parameter_dropped",
    path,
    action: "dropped",
    ...(detail === undefined ? {} : { detail }),
  };
}

/** Throws `unsupported_content` for what the dialect cannot express. */
export function refuse(what: string, path: string): never {
  throw new GatewayError(
    "unsupported_content",
    `Cannot write the request in the dialect "${dialectId}": it has no place for ${what} (${path})`,
    { param: path },
  );
}

/** Throws `state_not_portable` for what only another service knows. */
export function refuseState(what: string, path: string): never {
  throw new GatewayError(
    "state_not_portable",
    `Cannot write the request in the dialect "${dialectId}": ${what} is known to another service (${path})`,
    { param: path },
  );
}
