import { redirect } from "@sveltejs/kit";
import { session } from "#lib/api/session.svelte.ts";
import { vmx } from "#lib/api/vmx.ts";
import type { PageLoad } from "./$types";

/** Where to go afterwards: only to pages of this console. */
function returnTo(url: URL): string {
  const target = url.searchParams.get("returnTo") ?? "/";
  return /^\/(?![/\\])/.test(target) && !target.startsWith("/sign-in") ? target : "/";
}

export const load: PageLoad = async ({ url }) => {
  const target = returnTo(url);
  const [options, answer] = await Promise.all([vmx.auth.options(), session.load()]);
  if (answer && answer.user.state !== "CHANGE_PASSWORD") redirect(307, target);
  return {
    target,
    options,
    ended: url.searchParams.has("ended"),
    /** Code of a federated login that failed. */
    refused: url.searchParams.get("error") ?? undefined,
    mustChange: answer?.user.state === "CHANGE_PASSWORD",
  };
};
