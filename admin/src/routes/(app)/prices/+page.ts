import { query } from "#lib/api/query.svelte.ts";
import { vmx } from "#lib/api/vmx.ts";
import type { PageLoad } from "./$types";

export const load: PageLoad = ({ url }) => {
  const list = url.searchParams.get("list");
  return {
    lists: query(() => vmx.priceLists.list().toArray()),
    list: list ? query(() => vmx.priceLists.get(list)) : undefined,
  };
};
