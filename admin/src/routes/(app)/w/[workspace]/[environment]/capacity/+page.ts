import { query } from "#lib/api/query.svelte.ts";
import type { PageLoad } from "./$types";

export const load: PageLoad = async ({ parent }) => {
  const { scope } = await parent();
  return { capacity: query(() => scope.api.capacity.get()) };
};
