import { query } from "#lib/api/query.svelte.ts";
import { vmx } from "#lib/api/vmx.ts";
import type { PageLoad } from "./$types";

const seeKeys = { action: ["system:re-encrypt"], resource: ["system"] };

export const load: PageLoad = () => ({
  system: query(() => vmx.system.get()),
  /** Null for those who may not see which keys are in use. */
  keys: query(async () => {
    const { data } = await vmx.me.permissions(seeKeys);
    return data[0]?.allowed ? await vmx.system.reEncryption() : null;
  }),
});
