import type { System } from "@vmx/schemas";
import type { Capacity } from "./capacity/index.ts";
import type { Clock } from "./contract/index.ts";
import type { PluginHost } from "./host/plugin-host.ts";
import type { Records } from "./records/create-records.ts";
import type { Database } from "./store/database.ts";
import type { SnapshotLoader } from "./store/loader.ts";

/** How the process and what it depends on are doing. */
export interface SystemStatus {
  /** Looks at what the process knows by now; nothing is called. */
  readiness(): "ready" | "degraded" | "not_ready";
  /** The same in full; asks the database for a sign of life. Never rejects. */
  read(): Promise<StatusDetails>;
}

/** See `SystemStatus.read`. */
export type StatusDetails = Pick<
  System,
  "status" | "revision" | "replicas" | "dependencies" | "degraded" | "spool"
>;

/** What the status is read from. */
export interface SystemStatusParts {
  readonly loader: Pick<SnapshotLoader, "state">;
  readonly database: Pick<Database, "ping">;
  readonly records: Pick<Records, "state">;
  readonly capacity: Pick<Capacity, "liveness"> & {
    readonly admission: Pick<Capacity["admission"], "state">;
  };
  readonly host: Pick<PluginHost, "plugins">;
  readonly isDraining: () => boolean;
  readonly clock: Pick<Clock, "now">;
}

type Dependency = System["dependencies"][number];

/** Milliseconds the database has to answer a readiness request. */
const patienceMs = 2_000;

/** Creates the status of one process. */
export function createSystemStatus(parts: SystemStatusParts): SystemStatus {
  const { capacity, clock, database, host, loader, records } = parts;
  const seen = new Map<string, { readonly state: string; readonly since: number }>();

  /** Since when a dependency has been in its state, as far as this process has looked. */
  function since(name: string, state: string): string {
    const known = seen.get(name);
    if (known?.state !== state) seen.set(name, { state, since: clock.now() });
    return new Date(seen.get(name)!.since).toISOString();
  }

  async function databaseState(): Promise<Dependency> {
    const { error, since: changedAt, status } = loader.state();
    const latencyMs = await within(patienceMs, database.ping());
    const state = latencyMs === undefined ? "away" : "ok";
    // The loader has looked all the time; this look alone knows the moment of neither beginning nor end.
    const agrees = (status === "ready") === (state === "ok");
    return {
      name: "database",
      state,
      since: agrees ? changedAt.toISOString() : since("database", state),
      ...(latencyMs === undefined
        ? { error: error ?? "it does not answer" }
        : { latencyMs: Math.round(latencyMs * 100) / 100 }),
    };
  }

  function capacityState(): Dependency {
    const state = capacity.admission.state();
    const name = "capacity_store";
    return {
      name,
      state: state === "ok" ? "ok" : "away",
      since: since(name, state),
      ...(state === "ok" ? {} : { error: `limits are kept in mode "${state}"` }),
    };
  }

  function credentialState(): Dependency {
    const { unopened } = loader.state();
    const state = unopened === 0 ? "ok" : "away";
    const name = "credentials";
    const error = `${unopened} connections have secrets that cannot be opened`;
    return { name, state, since: since(name, state), ...(unopened === 0 ? {} : { error }) };
  }

  function pluginStates(): Dependency[] {
    return host.plugins().flatMap(({ id, outcome }) =>
      outcome.state === "failed"
        ? [{ name: id, state: "away" as const, since: since(id, "away"), error: outcome.error }]
        : []
    );
  }

  function degradedRows(): System["degraded"] {
    const { status } = loader.state();
    const { spool } = records.state();
    const rows: System["degraded"] = [];
    if (status === "degraded") rows.push("database_away");
    if (capacity.admission.state() !== "ok") rows.push("capacity_degraded");
    if (loader.state().unopened > 0) rows.push("credentials_unavailable");
    if (!spool.writable) rows.push("disk_full");
    if (spool.pressure !== "none") rows.push("spool_full");
    return rows;
  }

  function readiness(): "ready" | "degraded" | "not_ready" {
    if (parts.isDraining() || loader.state().status === "starting") return "not_ready";
    // A secret that cannot be opened is one connection's trouble: the process is as ready as ever.
    return degradedRows().some((row) => row !== "credentials_unavailable") ? "degraded" : "ready";
  }

  return {
    readiness,
    async read() {
      const { spool } = records.state();
      const { revision } = loader.state();
      return {
        status: readiness(),
        revision,
        replicas: capacity.liveness.replicas(),
        dependencies: [
          await databaseState(),
          capacityState(),
          credentialState(),
          ...pluginStates(),
        ],
        degraded: degradedRows(),
        spool: {
          bytes: spool.bytes,
          oldestAgeSeconds: Math.round(spool.oldestAgeMs / 100) / 10,
          writable: spool.writable,
          pressure: spool.pressure,
          lost: records.state().lost,
        },
      };
    },
  };
}

/** Undefined when the work fails or takes longer. */
async function within<Value>(ms: number, work: Promise<Value>): Promise<Value | undefined> {
  let timer: ReturnType<typeof setTimeout>;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, ms, undefined);
  });
  return await Promise.race([work.catch(() => undefined), late]).finally(() => clearTimeout(timer));
}
