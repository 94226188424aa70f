import { query } from "#lib/api/query.svelte.ts";
import { vmx } from "#lib/api/vmx.ts";
import type { PageLoad } from "./$types";

export const load: PageLoad = () => ({
  users: query(() => vmx.users.list({ limit: 500 }).toArray({ limit: 5_000 })),
  roles: query(() => vmx.roles.list().toArray()),
});
