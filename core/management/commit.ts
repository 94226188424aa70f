import { type Change, change } from "../store/change.ts";
import type { RouteContext } from "./route.ts";

/**
 * Runs one configuration transaction for a call and loads the new state before it answers, so that whoever reads
 * the answer meets it in every later call.
 */
export async function commit<Result>(
  context: Pick<RouteContext, "services" | "actor">,
  work: (change: Change) => Promise<Result>,
): Promise<Result> {
  const { database, loader } = context.services;
  const { result } = await change(database, context.actor, work);
  await loader.refresh();
  return result;
}
