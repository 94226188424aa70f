import { query } from "#lib/api/query.svelte.ts";
import { vmx } from "#lib/api/vmx.ts";
import type { PageLoad } from "./$types";

export const load: PageLoad = () => ({
  options: query(() => vmx.auth.options()),
  system: query(() => vmx.system.get()),
});
