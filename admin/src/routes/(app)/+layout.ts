import { redirect } from "@sveltejs/kit";
import { session } from "#lib/api/session.svelte.ts";
import type { LayoutLoad } from "./$types";

/** Everything below needs somebody who is signed in and whose password is their own. */
export const load: LayoutLoad = async ({ url, untrack }) => {
  const answer = await session.load();
  if (!answer || answer.user.state === "CHANGE_PASSWORD") {
    // Reading the address would tie this to it: every letter of a filter would read the whole page anew.
    const returnTo = untrack(() => url.pathname + url.search);
    redirect(307, `/sign-in?${new URLSearchParams({ returnTo })}`);
  }
  await session.loadWorkspaces();
};
