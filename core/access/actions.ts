/** A module of the permission grammar: what can be done, and the resources it is done to. */
export interface PermissionModule {
  readonly operations: readonly string[];
  /** Modules of an environment or workspace are completed from the left when a pattern starts with them. */
  readonly parent: "installation" | "workspace" | "environment";
  /** What an item is named by in a resource string; undefined when the module has no items. */
  readonly item?: string;
}

/** Every module with its operations (security.md section 6). */
export const permissionModules: Readonly<Record<string, PermissionModule>> = {
  workspace: {
    operations: [
      "list",
      "get",
      "get-members",
      "create",
      "update",
      "update-member-role",
      "delete",
      "assign",
      "unassign",
      "administer",
    ],
    parent: "installation",
    item: "workspace",
  },
  environment: {
    operations: ["list", "get", "create", "update", "delete"],
    parent: "workspace",
    item: "environment",
  },
  "ai-connection": crud("name"),
  "ai-resource": crud("name"),
  "api-key": crud("name"),
  "pool-definition": { operations: ["get", "update", "delete"], parent: "environment" },
  capacity: { operations: ["get", "reset"], parent: "environment" },
  completion: { operations: ["execute"], parent: "environment" },
  "completion-batch": {
    operations: ["list", "get", "create", "cancel"],
    parent: "environment",
    item: "id",
  },
  audit: { operations: ["list", "get", "read-payload", "export"], parent: "environment" },
  usage: { operations: ["get"], parent: "environment" },
  config: { operations: ["get", "apply"], parent: "environment" },
  user: {
    operations: ["list", "get", "create", "update", "delete"],
    parent: "installation",
    item: "email",
  },
  role: {
    operations: [
      "list",
      "get",
      "get-members",
      "create",
      "update",
      "delete",
      "assign",
      "unassign",
    ],
    parent: "installation",
    item: "name",
  },
  "price-list": {
    operations: ["list", "get", "create", "re-rate"],
    parent: "installation",
    item: "id",
  },
  plugin: { operations: ["list", "get", "update"], parent: "installation", item: "id" },
  // `activity` alone is the installation's; an environment's is written out in full.
  activity: { operations: ["list"], parent: "installation" },
  system: { operations: ["get", "re-encrypt"], parent: "installation" },
};

/** Every action, such as `ai-connection:update`. */
export const allActions: readonly string[] = Object.entries(permissionModules).flatMap(
  ([name, { operations }]) => operations.map((operation) => `${name}:${operation}`),
);

/** Actions on what lies inside a workspace, the workspace itself included. */
export const workspaceActions: readonly string[] = allActions.filter((action) => {
  const module = action.slice(0, action.indexOf(":"));
  return module === "workspace" || module === "activity" ||
    permissionModules[module]?.parent !== "installation";
});

/** Resource string of a module as a template, for the permission catalogue. */
export function resourceTemplate(module: string): { base: string; item: string } {
  const { parent, item } = permissionModules[module]!;
  const prefix = parent === "environment"
    ? "workspace:{workspace}:environment:{environment}:"
    : parent === "workspace"
    ? "workspace:{workspace}:"
    : "";
  const base = prefix + module;
  return { base, item: item === undefined ? base : `${base}:{${item}}` };
}

function crud(item: string): PermissionModule {
  return { operations: ["list", "get", "create", "update", "delete"], parent: "environment", item };
}
