import type { Clock, JsonObject, Log, SharedState } from "../../contract/index.ts";
import { hashSecret } from "../../access/token-format.ts";

/** A federated login between its beginning and its end. */
export interface LoginFlow {
  /** Hash of the cookie of the browser that began it. */
  readonly browser: string;
  /** What the identity provider's answer is checked against. */
  readonly state: JsonObject;
  readonly redirectUri: string;
  /** Path the browser goes to in the end. */
  readonly returnTo: string;
}

/** Federated logins under way, known to every process. */
export interface LoginFlows {
  keep(state: string, flow: LoginFlow): Promise<void>;
  /** Hands a flow out once, to the browser that began it; undefined otherwise. Another browser does not use it up. */
  take(state: string, browser: string): Promise<LoginFlow | undefined>;
}

/** Milliseconds a login may take. */
export const flowMs = 10 * 60_000;
const patienceMs = 1_000;
const mostLocal = 1_000;

/** Keeps flows in the state that processes share. While that is away, this process remembers its own. */
export function createLoginFlows(parts: {
  readonly sharedState?: (() => Promise<SharedState>) | undefined;
  readonly clock: Clock;
  readonly log: Log;
}): LoginFlows {
  const { sharedState, clock, log } = parts;
  const local = new Map<string, { readonly flow: LoginFlow; readonly until: number }>();

  async function shared<Result>(work: (state: SharedState) => Promise<Result>): Promise<Result> {
    if (!sharedState) throw new Error("there is none");
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error("no answer in time")), patienceMs);
    });
    return await Promise.race([sharedState().then(work), late]).finally(() => clearTimeout(timer));
  }

  return {
    async keep(state, flow) {
      const key = keyOf(state);
      try {
        await shared((store) => store.set(key, JSON.stringify(flow), flowMs));
      } catch (error) {
        if (sharedState) {
          log.warn("The shared state is away: this process keeps a federated login itself", {
            error,
          });
        }
        local.set(key, { flow, until: clock.now() + flowMs });
        if (local.size > mostLocal) local.delete(local.keys().next().value!);
      }
    },

    async take(state, browser) {
      const key = keyOf(state);
      const own = local.get(key);
      if (own) {
        if (own.flow.browser !== browser) return undefined;
        local.delete(key);
        return own.until > clock.now() ? own.flow : undefined;
      }
      try {
        return await shared(async (store) => {
          const text = await store.get(key);
          const flow = text === undefined ? undefined : JSON.parse(text) as LoginFlow;
          if (flow?.browser !== browser) return undefined;
          // Of two answers at once the counter lets one pass.
          if (await store.increment(`${key}:used`, 1, flowMs) !== 1) return undefined;
          await store.delete(key);
          return flow;
        });
      } catch (error) {
        if (sharedState) log.warn("Cannot look up a federated login", { error });
        return undefined;
      }
    },
  };
}

const keyOf = (state: string) => `login:federated:${hashSecret(state)}`;
