import { query } from "#lib/api/query.svelte.ts";
import { vmx } from "#lib/api/vmx.ts";
import type { PageLoad } from "./$types";

export const load: PageLoad = ({ url }) => {
  const of = (name: string) => url.searchParams.get(name) || undefined;
  const days = Number(of("days") ?? 7);
  const from = new Date(Date.now() - days * 86_400_000).toISOString();
  const [entityType, actor] = [of("entity"), of("actor")];
  const filter = { from, ...(entityType ? { entityType } : {}), ...(actor ? { actor } : {}) };
  return {
    days,
    /** What the entries were chosen by. */
    filter,
    entries: query(() =>
      vmx.installationActivity.list({ ...filter, limit: 100 }).toArray({ limit: 500 })
    ),
    users: query(() => vmx.users.list({ limit: 500 }).toArray({ limit: 1_000 })),
  };
};
