import { AuthenticationError, type SessionAnswer, type Workspace } from "@vmx/sdk";
import { permissions } from "./permissions.svelte.ts";
import { vmx } from "./vmx.ts";

/** Who is signed in, and the workspaces they see. Undefined until asked for. */
class Session {
  answer: SessionAnswer | undefined = $state.raw(undefined);
  workspaces: readonly Workspace[] = $state.raw([]);

  /**
   * Reads the session once; later calls answer from memory.
   *
   * @returns undefined when nobody is signed in
   */
  async load(): Promise<SessionAnswer | undefined> {
    if (this.answer) return this.answer;
    try {
      this.answer = await vmx.auth.session();
    } catch (error) {
      if (error instanceof AuthenticationError) return undefined;
      throw error;
    }
    return this.answer;
  }

  /** Reads the workspaces with their environments, unless they are known. */
  async loadWorkspaces(again = false): Promise<readonly Workspace[]> {
    if (again || this.workspaces.length === 0) {
      this.workspaces = await vmx.workspaces.list({ includesEnvironments: true }).toArray();
    }
    return this.workspaces;
  }

  /** Forgets everything about the person, after signing out or in. */
  forget(): void {
    this.answer = undefined;
    this.workspaces = [];
    permissions.forget();
  }
}

/** The one session of this page. */
export const session = new Session();

/** Signs out and leaves for the sign-in page with nothing kept in memory. */
export async function signOut(): Promise<void> {
  await vmx.auth.logout().catch(() => {});
  location.assign("/sign-in");
}
