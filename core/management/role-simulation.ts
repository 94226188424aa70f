import { Simulation, SimulationAnswer } from "@vmx/schemas";
import { maySeeWorkspace } from "../access/authorize.ts";
import { explainPolicy, explainUser } from "../access/explain.ts";
import { actionFault, checkPolicy } from "../access/policy.ts";
import { readResource } from "../access/read-resource.ts";
import { GatewayError } from "../contract/errors.ts";
import { defineRoute, type Route } from "./route.ts";

/** The policy simulator. */
export const roleSimulationRoutes: readonly Route[] = [
  defineRoute({
    method: "POST",
    path: "/api/v1/roles/simulate",
    operationId: "simulatePolicy",
    summary: "Tells what a user, or a policy that is not stored yet, may do, and why",
    tag: "Identity",
    access: { action: "role:get", resource: "role" },
    body: Simulation,
    answer: SimulationAnswer,
    status: 200,
    replayable: false,
    problems: ["USER_NOT_FOUND", "POLICY_INVALID"],
    handler({ body, snapshot, principal }) {
      const { userId, policy, action } = body;
      if ((userId === undefined) === (policy === undefined)) {
        throw new GatewayError(
          "VALIDATION_FAILED",
          "Cannot simulate: send either userId or policy",
          { faults: [{ path: "/policy", code: "oneOf", message: "or userId must be given" }] },
        );
      }
      const fault = actionFault(action);
      if (fault !== undefined) {
        throw new GatewayError("VALIDATION_FAILED", `Cannot simulate: ${fault}`, {
          faults: [{ path: "/action", code: "unknown", message: fault }],
        });
      }
      const resource = readResource(
        snapshot,
        body.resource,
        (workspaceId) => maySeeWorkspace(snapshot, principal, workspaceId),
      );
      if (policy) return explainPolicy(checkPolicy(policy, "/policy"), action, resource);
      const user = snapshot.users.get(userId!);
      if (user) return explainUser(snapshot, user, action, resource);
      throw new GatewayError("USER_NOT_FOUND", "The user to simulate does not exist", {
        faults: [{ path: "/userId", code: "USER_NOT_FOUND", message: "no user has this id" }],
      });
    },
  }),
];
