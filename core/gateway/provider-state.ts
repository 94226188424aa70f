import type { ProviderState, SharedState } from "../contract/index.ts";
import { GatewayError } from "../contract/index.ts";
import type { Exchange, Outcome } from "./exchange.ts";

/** Remembers which connection holds the answers that later requests go on from. */
export interface AnswerHomes {
  /** Id of the connection that made an answer; undefined when nobody remembers, or the state is away. */
  find(environmentId: string, answerId: string): Promise<string | undefined>;
  /** Notes an answer's home. Not awaited, never throws. */
  note(environmentId: string, answerId: string, connectionId: string): void;
}

const rememberedForMs = 30 * 24 * 3600 * 1000;

/**
 * Keeps answer homes in the shared state.
 *
 * @param deadlineMs longest wait for the state; past it the id counts as unknown
 */
export function createAnswerHomes(
  state: () => Promise<SharedState>,
  deadlineMs: number,
): AnswerHomes {
  const key = (environmentId: string, answerId: string) =>
    `answer-home:${environmentId}:${answerId}`;
  return {
    async find(environmentId, answerId) {
      let timer: ReturnType<typeof setTimeout> | undefined;
      const late = new Promise<undefined>((resolve) => {
        timer = setTimeout(() => resolve(undefined), deadlineMs);
      });
      const found = state().then((shared) => shared.get(key(environmentId, answerId)));
      return await Promise.race([found.catch(() => undefined), late])
        .finally(() => clearTimeout(timer));
    },
    note(environmentId, answerId, connectionId) {
      state().then((shared) =>
        shared.set(key(environmentId, answerId), connectionId, rememberedForMs)
      ).catch(() => {});
    },
  };
}

/** What of the request lives at a provider, and the connection that is known to hold it. */
export interface RequestState extends ProviderState {
  readonly home: string | undefined;
}

/** Reads what of the request lives at a provider; the home is looked up only when it is one of the legs'. */
export async function readProviderState(
  exchange: Exchange,
  legConnections: readonly string[],
): Promise<RequestState | undefined> {
  const { dialect, request, body, caller, services } = exchange;
  const state = dialect.inbound.providerState?.(body!.value, request.endpoint.operation);
  if (!state) return undefined;
  const { environmentId } = caller!.environment;
  const home = state.previousAnswerId === undefined
    ? undefined
    : await services.answerHomes.find(environmentId, state.previousAnswerId);
  return { ...state, home: home && legConnections.includes(home) ? home : undefined };
}

/** Skips a leg that cannot know what the request builds on. Throws `state_not_portable`. */
export function checkHome(exchange: Exchange, connectionId: string, connectionName: string): void {
  const home = exchange.providerState?.home;
  if (home === undefined || home === connectionId) return;
  throw new GatewayError(
    "state_not_portable",
    `The answer the request goes on from is not stored at AI connection "${connectionName}"`,
  );
}

/** Refuses to translate a request that builds on what one provider stores. Throws `state_not_portable`. */
export function refuseState(exchange: Exchange): void {
  const state = exchange.providerState;
  if (!state) return;
  const paths = [
    ...(state.previousAnswerId === undefined ? [] : ["an earlier answer"]),
    ...state.paths,
  ];
  if (paths.length === 0) return;
  throw new GatewayError(
    "state_not_portable",
    `The request builds on what its provider stores: ${paths.join(", ")}`,
  );
}

/** Notes where an answer that its provider remembers has its home. */
export function noteHome({ exchange, status, facts }: Outcome): void {
  const leg = exchange.legs.at(-1);
  if (status !== "ok" || !exchange.providerState?.storesAnswer || !leg?.native || !facts?.id) {
    return;
  }
  const { environmentId } = exchange.caller!.environment;
  exchange.services.answerHomes.note(environmentId, facts.id, leg.connectionId);
}
