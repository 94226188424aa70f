import { query } from "#lib/api/query.svelte.ts";
import { vmx } from "#lib/api/vmx.ts";
import type { PageLoad } from "./$types";

export const load: PageLoad = ({ params }) => ({
  user: query(() => vmx.users.get(params.user)),
  roles: query(() => vmx.roles.list().toArray()),
});
