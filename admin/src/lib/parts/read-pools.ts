import { NotFoundError, type PoolDefinition } from "@vmx/sdk";
import type { Scope } from "#lib/api/scope.ts";

/** Reads the pools of an environment; null when there are none yet. */
export async function readPools({ api }: Scope): Promise<PoolDefinition | null> {
  // What is known to be missing is not asked for: the browser would call the answer an error.
  const pools = await api.poolDefinition.allocation({ since: new Date().toISOString() })
    .then((answer) => answer.pools, () => undefined);
  if (pools === 0) return null;
  return await api.poolDefinition.get().catch((error: unknown) => {
    if (error instanceof NotFoundError && error.code === "POOL_DEFINITION_NOT_FOUND") return null;
    throw error;
  });
}
