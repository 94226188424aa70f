import type { Clock } from "../contract/index.ts";

/** What a circuit lets pass: everything, nothing, or one call that probes. */
export type CircuitState = "closed" | "open" | "probing";

/** An open circuit, as connections show it. */
export interface CircuitView {
  readonly state: "open" | "probing";
  /** Unix milliseconds. */
  readonly since: number;
  readonly until: number;
}

/** Skips legs whose provider keeps failing: one circuit per connection and model, in this process. */
export interface Circuits {
  /**
   * Whether a call may be made now. `probing` means that this very call is the probe: its result must be noted.
   */
  admit(connectionId: string, model: string): CircuitState;
  /** The state without changing it. */
  peek(connectionId: string, model: string): CircuitState;
  /** Notes the end of a call. `failed` is true for 5xx, network failures and timeouts alone. */
  note(connectionId: string, model: string, failed: boolean): void;
  /** The call that was to probe came to no verdict: the next one may probe. */
  leaveProbe(connectionId: string, model: string): void;
  /** Open circuits of a connection by model. */
  view(connectionId: string): Readonly<Record<string, CircuitView>>;
}

const windowMs = 30_000;
const bucketMs = 3_000;
const minCalls = 10;
const failedShare = 0.5;
const openMs = 15_000;
/** A probe that never told its end does not keep the circuit shut for ever. */
const probeMs = 60_000;
const maxCircuits = 10_000;

interface Circuit {
  /** Calls and failures per bucket, the newest last. */
  buckets: { at: number; calls: number; failed: number }[];
  openedAt: number | undefined;
  openedAtUnix: number;
  until: number;
  probeStartedAt: number | undefined;
}

/** Creates the circuits of one process; all closed. */
export function createCircuits(clock: Clock): Circuits {
  const circuits = new Map<string, Map<string, Circuit>>();
  let count = 0;

  const find = (connectionId: string, model: string) => circuits.get(connectionId)?.get(model);
  const create = (connectionId: string, model: string): Circuit | undefined => {
    if (count >= maxCircuits) return undefined;
    count++;
    const circuit: Circuit = {
      buckets: [],
      openedAt: undefined,
      openedAtUnix: 0,
      until: 0,
      probeStartedAt: undefined,
    };
    const models = circuits.get(connectionId) ?? new Map<string, Circuit>();
    circuits.set(connectionId, models.set(model, circuit));
    return circuit;
  };
  const open = (circuit: Circuit): void => {
    circuit.openedAt ??= clock.monotonic();
    circuit.openedAtUnix ||= clock.now();
    circuit.until = clock.monotonic() + openMs;
    circuit.probeStartedAt = undefined;
  };
  const close = (circuit: Circuit): void => {
    circuit.openedAt = undefined;
    circuit.openedAtUnix = 0;
    circuit.probeStartedAt = undefined;
    circuit.buckets = [];
  };
  const isProbing = ({ probeStartedAt }: Circuit): boolean =>
    probeStartedAt !== undefined && clock.monotonic() - probeStartedAt < probeMs;
  const peek = (circuit: Circuit | undefined): CircuitState => {
    if (circuit?.openedAt === undefined) return "closed";
    return clock.monotonic() < circuit.until || isProbing(circuit) ? "open" : "probing";
  };

  return {
    admit(connectionId, model) {
      const circuit = find(connectionId, model);
      const state = peek(circuit);
      if (state === "probing") circuit!.probeStartedAt = clock.monotonic();
      return state;
    },
    peek: (connectionId, model) => peek(find(connectionId, model)),
    note(connectionId, model, failed) {
      const circuit = find(connectionId, model) ?? create(connectionId, model);
      if (!circuit) return;
      if (circuit.openedAt !== undefined) {
        if (circuit.probeStartedAt === undefined) return;
        if (failed) open(circuit);
        else close(circuit);
        return;
      }
      const { calls, failures } = addCall(circuit, clock.monotonic(), failed);
      if (calls >= minCalls && failures / calls >= failedShare) open(circuit);
    },
    leaveProbe(connectionId, model) {
      const circuit = find(connectionId, model);
      if (circuit) circuit.probeStartedAt = undefined;
    },
    view(connectionId) {
      const views: Record<string, CircuitView> = {};
      for (const [model, circuit] of circuits.get(connectionId) ?? []) {
        if (circuit.openedAt === undefined) continue;
        views[model] = {
          state: isProbing(circuit) ? "probing" : "open",
          since: circuit.openedAtUnix,
          until: clock.now() + Math.max(0, circuit.until - clock.monotonic()),
        };
      }
      return views;
    },
  };
}

/** Adds a call to the present bucket; answers the window's sums. */
function addCall(circuit: Circuit, now: number, failed: boolean) {
  const at = Math.floor(now / bucketMs);
  const oldest = at - windowMs / bucketMs;
  circuit.buckets = circuit.buckets.filter((bucket) => bucket.at > oldest);
  let bucket = circuit.buckets.at(-1);
  if (bucket?.at !== at) {
    bucket = { at, calls: 0, failed: 0 };
    circuit.buckets.push(bucket);
  }
  bucket.calls++;
  if (failed) bucket.failed++;
  let calls = 0;
  let failures = 0;
  for (const each of circuit.buckets) {
    calls += each.calls;
    failures += each.failed;
  }
  return { calls, failures };
}
