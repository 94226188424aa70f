import { query } from "#lib/api/query.svelte.ts";
import { vmx } from "#lib/api/vmx.ts";
import type { PageLoad } from "./$types";

export const load: PageLoad = () => ({ plugins: query(() => vmx.plugins.list().toArray()) });
