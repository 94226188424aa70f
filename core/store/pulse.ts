import pg from "pg";

/** Notices that a database says nothing any more, not even that a statement takes too long: a paused server. */
export interface Pulse {
  /** Watches a statement on a connection until it ends. `drop` ends the connection when the database is silent. */
  watch(statement: Promise<unknown>, drop: () => void): void;
}

/** Milliseconds a statement may run before somebody asks whether the database lives. */
const patienceMs = 1_000;
/** Milliseconds an answer to that counts. */
const trustMs = 2_000;
/** Milliseconds in which a living database greets a new connection, or says that it takes none. */
const greetingMs = 1_500;
const lookMs = 250;

/**
 * Creates the pulse of one database. It asks only while a statement takes long, by a connection of its own: a server
 * that is slow greets all the same, and then the statement goes on.
 *
 * @param greets whether the database greets within the given milliseconds
 */
export function createPulse(
  greets: (timeoutMs: number) => Promise<boolean>,
  now: () => number = () => performance.now(),
): Pulse {
  const running = new Map<object, { readonly startedAt: number; readonly drop: () => void }>();
  let greetedAt = -Infinity;
  let timer: ReturnType<typeof setInterval> | undefined;
  let isAsking = false;

  async function look(): Promise<void> {
    const oldest = running.values().next().value;
    const askedAt = now();
    if (!oldest || isAsking || askedAt - oldest.startedAt < patienceMs) return;
    if (askedAt - greetedAt < trustMs) return;
    isAsking = true;
    // Twice: a process that was busy itself may have missed the first greeting.
    if (await greets(greetingMs) || await greets(greetingMs)) greetedAt = now();
    else {
      for (const { startedAt, drop } of running.values()) if (startedAt <= askedAt) drop();
    }
    isAsking = false;
  }

  return {
    watch(statement, drop) {
      const key = {};
      running.set(key, { startedAt: now(), drop });
      timer ??= setInterval(() => void look(), lookMs).unref();
      const forget = () => {
        running.delete(key);
        if (running.size > 0) return;
        clearInterval(timer);
        timer = undefined;
      };
      statement.then(forget, forget);
    },
  };
}

/**
 * Whether a database says anything to a new connection, be it a refusal. A network that tells at once that nobody is
 * there counts as well: only silence is none.
 */
export async function greets(connectionString: string, timeoutMs: number): Promise<boolean> {
  const startedAt = performance.now();
  let client: pg.Client;
  try {
    client = new pg.Client({
      connectionString,
      application_name: "vmx-gateway",
      connectionTimeoutMillis: timeoutMs,
    });
  } catch {
    // A file the URL names is gone: that tells nothing about the database.
    return true;
  }
  client.on("error", () => {});
  const connected = client.connect().then(
    () => true,
    () => performance.now() - startedAt < timeoutMs,
  );
  // Its first byte is enough: what follows takes many round trips, and a directory may be asked for the user.
  const spoke = new Promise<true>((resolve) => {
    client.connection.stream.once("data", () => resolve(true));
  });
  void connected.then(() => client.end()).catch(() => {});
  return await Promise.race([spoke, connected]);
}
