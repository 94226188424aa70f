import type { Log, SharedState } from "../contract/index.ts";

/** Knows which processes serve, and returns what dead ones have left reserved. */
export interface Liveness {
  /** Processes that serve now; the last known count while the shared state is away. At least 1. */
  replicas(): number;
  /** One round: says that this process lives, counts the others, expires reservations. */
  beat(): Promise<void>;
  start(): void;
  stop(): void;
}

const beatMs = 5_000;
/** A process is dead when its heartbeat has been missing this long, in milliseconds. */
const deadAfterMs = 30_000;
/** A beat that hangs does not hold up the next one for ever. */
const patienceMs = 4_000;

/**
 * Creates the heartbeat of one process.
 *
 * @param expire releases reservations past their expiry, and all of the dead processes
 */
export function createLiveness({ processId, state, expire, log }: {
  readonly processId: string;
  readonly state: () => Promise<SharedState>;
  readonly expire: (deadProcesses: readonly string[]) => Promise<void>;
  readonly log: Log;
}): Liveness {
  let replicas = 1;
  let timer: ReturnType<typeof setInterval> | undefined;

  async function beat(): Promise<void> {
    let dead: string[] = [];
    try {
      const shared = await within(state());
      await within(shared.heartbeat(processId));
      const processes = await within(shared.processes());
      dead = processes.filter(({ ageMs }) => ageMs >= deadAfterMs).map((one) => one.processId);
      replicas = Math.max(1, processes.length - dead.length);
    } catch (error) {
      // Nobody is declared dead by a state that does not answer.
      log.debug("Cannot say that this process lives", { error });
    }
    await expire(dead);
  }

  return {
    replicas: () => replicas,
    beat,
    start() {
      timer ??= setInterval(() => void beat(), beatMs);
      timer.unref();
    },
    stop: () => clearInterval(timer),
  };
}

function within<Value>(call: Promise<Value>): Promise<Value> {
  let timer: ReturnType<typeof setTimeout>;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => reject(new Error(`No answer within ${patienceMs} ms`)),
      patienceMs,
    );
    timer.unref();
  });
  return Promise.race([call, late]).finally(() => clearTimeout(timer));
}
