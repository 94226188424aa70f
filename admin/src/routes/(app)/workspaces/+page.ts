import { query } from "#lib/api/query.svelte.ts";
import { session } from "#lib/api/session.svelte.ts";
import type { PageLoad } from "./$types";

export const load: PageLoad = () => ({ workspaces: query(() => session.loadWorkspaces(true)) });
