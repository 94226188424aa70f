import { readCookie } from "../access/authenticate.ts";
import { authorize, maySeeWorkspace } from "../access/authorize.ts";
import { resourceOf } from "../access/resource.ts";
import { GatewayError } from "../contract/index.ts";
import type { GatewayServices } from "../gateway/exchange.ts";
import type { Access } from "../management/access.ts";
import type { Snapshot } from "../store/snapshot.ts";
import type { OwnOrigin } from "./own-origin.ts";

/**
 * People on the data plane: a personal access token, the admin token or a console session may call completions on a
 * long path, with the right `completion:execute` there.
 *
 * @param origin the origin browsers reach the gateway under, for the CSRF check of sessions
 */
export function createIdentifyPerson(
  access: Access,
  snapshot: () => Snapshot,
  origin: OwnOrigin,
): GatewayServices["identifyPerson"] {
  return async (request, credential) => {
    const { headers, path, duplicateCredential } = request;
    if (credential === undefined && readCookie(headers["cookie"]) === undefined) return undefined;
    const principal = await access.authenticate({
      method: "POST",
      headers,
      duplicateCredential,
      origin: origin(headers, request.peer),
    }).catch((error: unknown) => {
      // A bearer that is nobody's token is answered like any unknown API key.
      const unknown = error instanceof GatewayError && error.code === "NOT_AUTHENTICATED";
      if (unknown) return undefined;
      throw error;
    });
    if (!principal) return undefined;
    if (!path) {
      throw new GatewayError(
        "environment_required",
        "People name the environment in the path: /v1/completion/{workspaceId}/{environmentId}/...",
      );
    }
    const state = snapshot();
    const workspace = state.workspaces.get(path.workspaceId);
    const environment = state.environments.get(path.environmentId);
    if (
      !workspace || environment?.workspaceId !== workspace.workspaceId ||
      !maySeeWorkspace(state, principal, workspace.workspaceId)
    ) {
      throw new GatewayError("ENVIRONMENT_NOT_FOUND", "The environment in the path does not exist");
    }
    const named = ({ name }: { name: string }, id: string) => ({ name, id });
    authorize(
      state,
      principal,
      "completion:execute",
      resourceOf([
        "workspace",
        named(workspace, workspace.workspaceId),
        "environment",
        named(environment, environment.environmentId),
        "completion",
      ], { workspaceId: workspace.workspaceId }),
    );
    return { kind: "user", userId: principal.user.userId, environment };
  };
}
