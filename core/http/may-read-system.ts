import type { Context } from "koa";
import { readCookie } from "../access/authenticate.ts";
import { authorize } from "../access/authorize.ts";
import { resourceOf } from "../access/resource.ts";
import { GatewayError } from "../contract/index.ts";
import type { Access } from "../management/access.ts";
import { mustChangePassword } from "../management/scope.ts";
import type { Snapshot } from "../store/snapshot.ts";
import type { OwnOrigin } from "./own-origin.ts";

/** Lets holders of `system:get` pass. Throws `NOT_AUTHENTICATED` or `NOT_AUTHORIZED` for everybody else. */
export type AuthorizeSystem = (context: Context) => Promise<void>;

/** Creates the check for paths outside the management API that tell about the installation. */
export function createAuthorizeSystem(
  access: Pick<Access, "authenticate">,
  snapshot: () => Snapshot,
  origin: OwnOrigin,
): AuthorizeSystem {
  return async ({ req }) => {
    // Only set-cookie is a list in Node's headers, and requests have none.
    const headers = req.headers as Readonly<Record<string, string | undefined>>;
    const principal = await access.authenticate({
      method: "GET",
      headers,
      duplicateCredential: false,
      origin: origin(headers, req.socket.remoteAddress),
    });
    if (mustChangePassword(principal)) {
      throw new GatewayError("PASSWORD_CHANGE_REQUIRED", "The password must be changed first");
    }
    authorize(snapshot(), principal, "system:get", resourceOf(["system"]));
  };
}

/** Whether the caller shows a credential at all; probes do not, and are spared the check. */
export function showsCredential({ req: { headers } }: Context): boolean {
  return headers.authorization !== undefined || readCookie(headers.cookie) !== undefined;
}
