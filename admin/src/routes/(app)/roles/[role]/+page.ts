import { query } from "#lib/api/query.svelte.ts";
import { vmx } from "#lib/api/vmx.ts";
import type { PageLoad } from "./$types";

/** `new` is the form for a role that does not exist yet; `from` names one to begin with. */
export const load: PageLoad = ({ params, url }) => {
  const isNew = params.role === "new";
  const from = url.searchParams.get("from");
  return {
    isNew,
    role: query(async () =>
      isNew
        ? (from ? await vmx.roles.get(from) : null)
        : await vmx.roles.get(params.role, { includesMembers: true })
    ),
  };
};
