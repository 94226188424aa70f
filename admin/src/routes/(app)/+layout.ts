import { redirect } from "@sveltejs/kit";
import { session } from "#lib/api/session.svelte.ts";
import type { LayoutLoad } from "./$types";

/** Everything below needs somebody who is signed in and whose password is their own. */
export const load: LayoutLoad = async ({ url }) => {
  const returnTo = new URLSearchParams({ returnTo: url.pathname + url.search });
  const answer = await session.load();
  if (!answer || answer.user.state === "CHANGE_PASSWORD") redirect(307, `/sign-in?${returnTo}`);
  await session.loadWorkspaces();
};
