import type { PolicyView } from "../store/snapshot.ts";

/** A role every installation has; it can be neither edited nor deleted. */
export interface BuiltInRole {
  readonly name: string;
  readonly description: string;
  readonly policy: PolicyView;
}

/** The roles of security.md section 7. */
export const builtInRoles: readonly BuiltInRole[] = [
  {
    name: "admin",
    description: "May do everything",
    policy: { statements: [{ effect: "allow", actions: ["*"], resources: ["*"] }] },
  },
  {
    name: "power-user",
    description: "May do everything but manage people, roles, plugins, prices and the installation",
    policy: {
      statements: [
        { effect: "allow", actions: ["*"], resources: ["*"] },
        {
          effect: "deny",
          actions: [
            "user:create",
            "user:update",
            "user:delete",
            "role:create",
            "role:update",
            "role:delete",
            "role:assign",
            "role:unassign",
            "workspace:administer",
            "plugin:update",
            "system:*",
            "price-list:create",
            "price-list:re-rate",
          ],
          resources: ["*"],
        },
      ],
    },
  },
  {
    name: "read-only",
    description: "May read everything but stored message text",
    policy: { statements: [{ effect: "allow", actions: ["*:get", "*:list"], resources: ["*"] }] },
  },
];

/** Actions a member of a workspace has in it when no role of theirs grants anything there. */
export const memberActions: ReadonlySet<string> = new Set([
  "workspace:get",
  "workspace:get-members",
  "environment:list",
  "environment:get",
  "environment:create",
  "environment:update",
  "ai-connection:list",
  "ai-connection:get",
  "ai-connection:create",
  "ai-connection:update",
  "ai-resource:list",
  "ai-resource:get",
  "ai-resource:create",
  "ai-resource:update",
  "api-key:list",
  "api-key:get",
  "api-key:create",
  "api-key:update",
  "pool-definition:get",
  "pool-definition:update",
  "capacity:get",
  "completion:execute",
  "completion-batch:list",
  "completion-batch:get",
  "completion-batch:create",
  "completion-batch:cancel",
  "audit:list",
  "audit:get",
  "audit:read-payload",
  "audit:export",
  "usage:get",
  "config:get",
  "activity:list",
]);

/** The same, on objects the member made. */
export const memberOwnActions: ReadonlySet<string> = new Set([
  "environment:delete",
  "ai-connection:delete",
  "ai-resource:delete",
  "api-key:delete",
  "pool-definition:delete",
]);

/** Actions a mere member never has, whatever the roles say. */
export const ownerActions: ReadonlySet<string> = new Set([
  "workspace:delete",
  "workspace:assign",
  "workspace:unassign",
  "workspace:update-member-role",
]);
