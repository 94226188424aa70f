import type { ApiCall } from "../call.ts";
import type { Client } from "../client.ts";
import type { Workspace, WorkspaceMember } from "../generated/types.gen.ts";
import type { List } from "../list.ts";
import type { AnswerOf, BodyOf, CallOptions, QueryOf } from "../operations.ts";
import { upsert } from "./upsert.ts";

/** The workspaces of the installation that the caller belongs to. */
export class Workspaces {
  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
  }

  /** Lists the workspaces. */
  list(query: QueryOf<"listWorkspaces"> = {}, options?: CallOptions): List<Workspace> {
    return this.#client.list("listWorkspaces", { query }, options);
  }

  /** Creates a workspace; the caller becomes its owner. */
  create(body: BodyOf<"createWorkspace">, options?: CallOptions): ApiCall<Workspace> {
    return this.#client.call("createWorkspace", { body }, options);
  }

  /** Reads a workspace by name or id. */
  get(
    workspace: string,
    query: QueryOf<"getWorkspace"> = {},
    options?: CallOptions,
  ): ApiCall<Workspace> {
    return this.#client.call("getWorkspace", { path: { workspaceId: workspace }, query }, options);
  }

  /** Changes a workspace: absent members stay, null clears. */
  update(
    workspace: string,
    body: BodyOf<"updateWorkspace">,
    options?: CallOptions,
  ): ApiCall<Workspace> {
    return this.#client.call(
      "updateWorkspace",
      { path: { workspaceId: workspace }, body },
      options,
    );
  }

  /** Creates the workspace of this name, or changes it. */
  upsert(
    name: string,
    body: Omit<BodyOf<"createWorkspace">, "name"> = {},
    options?: CallOptions,
  ): ApiCall<Workspace> {
    return upsert({
      list: () => this.list({ name }, options),
      create: () => this.create({ name, ...body }, options),
      update: ({ workspaceId }) => this.update(workspaceId, body, options),
    });
  }

  /** Deletes a workspace with everything below it. */
  delete(workspace: string, options?: CallOptions): ApiCall<void> {
    return this.#client.call("deleteWorkspace", { path: { workspaceId: workspace } }, options);
  }

  /** Lists the members of a workspace. */
  members(workspace: string, options?: CallOptions): List<WorkspaceMember> {
    return this.#client.list("listWorkspaceMembers", { path: { workspaceId: workspace } }, options);
  }

  /** Adds members; `userIds` may be usernames or emails. */
  addMembers(
    workspace: string,
    body: BodyOf<"addWorkspaceMembers">,
    options?: CallOptions,
  ): ApiCall<AnswerOf<"addWorkspaceMembers">> {
    return this.#client.call(
      "addWorkspaceMembers",
      { path: { workspaceId: workspace }, body },
      options,
    );
  }

  /** Changes what a member is in a workspace. */
  updateMember(
    workspace: string,
    user: string,
    body: BodyOf<"updateWorkspaceMember">,
    options?: CallOptions,
  ): ApiCall<AnswerOf<"updateWorkspaceMember">> {
    return this.#client.call(
      "updateWorkspaceMember",
      { path: { workspaceId: workspace, userId: user }, body },
      options,
    );
  }

  /** Takes a member out of a workspace. */
  removeMember(workspace: string, user: string, options?: CallOptions): ApiCall<void> {
    return this.#client.call(
      "removeWorkspaceMember",
      { path: { workspaceId: workspace, userId: user } },
      options,
    );
  }
}
