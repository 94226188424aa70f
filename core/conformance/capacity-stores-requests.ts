import type {
  Amount,
  CapacityStore,
  Meter,
  MeterKey,
  PoolBounds,
  ReserveRequest,
} from "../contract/capacity-store.ts";

/** The environment the cases count in. */
export const environmentId = "env";
let made = 0;

/** A meter of connection `c` per minute, unless told otherwise, without limits. */
export function meter(
  members: Partial<Omit<Meter, "limit">> & { requests?: number; tokens?: number } = {},
): Meter {
  const { requests = null, tokens = null, ...key } = members;
  return {
    level: "connection",
    subjectId: "c",
    period: "minute",
    ...key,
    limit: { requests, tokens },
  };
}

/** A reservation of one request and `tokens` with an id of its own. */
export function request(
  tokens: number,
  meters: readonly Meter[],
  members: Partial<ReserveRequest> = {},
): ReserveRequest {
  return {
    environmentId,
    reservationId: `reservation-${++made}`,
    processId: "p1",
    ttlMs: 60_000,
    amount: { requests: 1, tokens },
    meters,
    ...members,
  };
}

/** Reserves and answers the reservation's id; fails when it is refused. */
export async function reserved(
  store: CapacityStore,
  tokens: number,
  meters: readonly Meter[],
  members: Partial<ReserveRequest> = {},
): Promise<string> {
  const asked = request(tokens, meters, members);
  const reply = await store.reserve(asked);
  if (!reply.admitted) throw new Error(`Refused: ${JSON.stringify(reply.refused)}`);
  return asked.reservationId;
}

/** What a meter has used. */
export async function usedOf(store: CapacityStore, key: MeterKey): Promise<Amount> {
  const [state] = await store.read(environmentId, [key]);
  return state!.used;
}

/** Pools from names, minimums and maximums in percent, ranked in that order. */
export function poolsOf(
  bounds: Readonly<Record<string, readonly [min: number, max: number]>>,
): PoolBounds[] {
  return Object.entries(bounds).map(([name, [min, max]], rank) => ({
    name,
    rank,
    min: min * 1000,
    max: max * 1000,
  }));
}
