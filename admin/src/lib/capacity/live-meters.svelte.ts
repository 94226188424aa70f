import type { LiveCapacity } from "@vmx/sdk";
import { untrack } from "svelte";
import { live } from "#lib/api/live.svelte.ts";
import type { Query } from "#lib/api/query.svelte.ts";
import type { Scope } from "#lib/api/scope.ts";
import { withChanges } from "./meters.ts";

/** Meters that are followed: where they are, which of them, and what is known of them. */
export interface FollowedMeters {
  readonly scope: Scope;
  readonly filter?: Parameters<Scope["api"]["capacity"]["stream"]>[0];
  readonly capacity: Query<LiveCapacity>;
}

/**
 * Follows meters for as long as the calling component lives. Call it while the component is set up.
 *
 * @returns the gateway's clock in milliseconds since 1970, which moves once a second
 */
export function followMeters(of: () => FollowedMeters): { readonly now: number } {
  let now = $state(Date.now());
  /** How far the gateway's clock is ahead of the browser's. */
  let skewMs = 0;

  $effect(() => {
    const timer = setInterval(() => now = Date.now() + skewMs, 1_000);
    return () => clearInterval(timer);
  });
  $effect(() => {
    const { scope, filter = {}, capacity } = of();
    return live.follow((options) => scope.api.capacity.stream(filter, options), (events) => {
      const known = capacity.data;
      if (!known) return;
      const next = events.reduce((all, event) => withChanges(all, event.data), known);
      skewMs = Date.parse(next.at) - Date.now();
      capacity.set(next);
    });
  });
  // What changed before the stream was open, or while it was away, is read again.
  $effect(() => {
    if (live.state === "live") void untrack(() => of().capacity.refresh());
  });
  return {
    get now() {
      return now;
    },
  };
}
