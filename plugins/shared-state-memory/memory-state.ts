import type { Clock, SharedState } from "@vmx/core/contract";

/** Entries kept at most; the oldest give way, so that strangers cannot fill the memory. */
const maxEntries = 200_000;

interface Entry {
  value: string;
  readonly endsAt: number;
}

/** Creates the shared state of one process. Expired entries are forgotten when they are met. */
export function createMemoryState(clock: Pick<Clock, "monotonic">): SharedState {
  const entries = new Map<string, Entry>();
  const leases = new Map<string, { owner: string; endsAt: number }>();
  const heartbeats = new Map<string, number>();
  const listeners = new Map<string, Set<(message: string) => void>>();

  const live = (key: string): Entry | undefined => {
    const entry = entries.get(key);
    if (!entry || entry.endsAt > clock.monotonic()) return entry;
    entries.delete(key);
    return undefined;
  };
  const put = (key: string, value: string, ttlMs: number): void => {
    entries.delete(key);
    entries.set(key, { value, endsAt: clock.monotonic() + ttlMs });
    if (entries.size <= maxEntries) return;
    const oldest = entries.keys().next();
    if (!oldest.done) entries.delete(oldest.value);
  };

  return {
    shared: false,
    get: (key) => Promise.resolve(live(key)?.value),
    set: (key, value, ttlMs) => Promise.resolve(put(key, value, ttlMs)),
    delete: (key) => Promise.resolve(void entries.delete(key)),
    increment(key, by, ttlMs) {
      const entry = live(key);
      if (!entry) put(key, String(by), ttlMs);
      else entry.value = String(Number(entry.value) + by);
      return Promise.resolve(entry ? Number(entry.value) : by);
    },
    lease(name, owner, ttlMs) {
      const now = clock.monotonic();
      const held = leases.get(name);
      if (held && held.owner !== owner && held.endsAt > now) return Promise.resolve(false);
      leases.set(name, { owner, endsAt: now + ttlMs });
      return Promise.resolve(true);
    },
    release(name, owner) {
      if (leases.get(name)?.owner === owner) leases.delete(name);
      return Promise.resolve();
    },
    publish(channel, message) {
      // Later, as over a network: a publisher must not find its listeners' work on its own stack.
      for (const listener of listeners.get(channel) ?? []) queueMicrotask(() => listener(message));
      return Promise.resolve();
    },
    subscribe(channel, listener) {
      const heard = listeners.get(channel) ?? new Set();
      listeners.set(channel, heard.add(listener));
      return Promise.resolve(() => {
        heard.delete(listener);
        if (heard.size === 0 && listeners.get(channel) === heard) listeners.delete(channel);
        return Promise.resolve();
      });
    },
    heartbeat: (processId) => Promise.resolve(void heartbeats.set(processId, clock.monotonic())),
    processes() {
      const now = clock.monotonic();
      const all = [...heartbeats].map(([processId, at]) => ({ processId, ageMs: now - at }));
      return Promise.resolve(all);
    },
    close() {
      entries.clear();
      listeners.clear();
      return Promise.resolve();
    },
  };
}
