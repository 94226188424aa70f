import type { Clock } from "../contract/plugin.ts";

/** Slows down password guessing, per account and per address. */
export interface LoginThrottle {
  /** Counts an attempt as failed until `succeed` says otherwise, so that parallel guesses count too. */
  begin(account: string, address: string): Attempt;
  /** Forgets the account's failures and takes the attempt off the address's. */
  succeed(account: string, address: string): void;
}

/** Whether an attempt may be made. */
export interface Attempt {
  /** Seconds until another attempt is taken; 0 when this one may be made. */
  readonly waitSeconds: number;
  /** Whether a failure of this attempt locks the account or the address. */
  readonly locks: boolean;
}

const windowMs = 15 * 60_000;
const firstLockMs = 60_000;
const longestLockMs = 60 * 60_000;
const accountLimit = 5;
const addressLimit = 20;
const mostEntries = 20_000;

interface Entry {
  failures: number;
  windowEndsAt: number;
  lockMs: number;
  lockedUntil: number;
}

/**
 * Counts in this process's memory: 5 failures per account and 20 per address in 15 minutes, then a lock of one
 * minute that doubles with every further failure up to an hour.
 */
export function createLoginThrottle(clock: Clock): LoginThrottle {
  const entries = new Map<string, Entry>();

  function fresh(key: string): Entry | undefined {
    const entry = entries.get(key);
    if (!entry) return undefined;
    const now = clock.now();
    if (now < entry.windowEndsAt || now < entry.lockedUntil + entry.lockMs) return entry;
    entries.delete(key);
    return undefined;
  }

  function count(key: string, limit: number): boolean {
    const now = clock.now();
    const entry = fresh(key) ??
      { failures: 0, windowEndsAt: now + windowMs, lockMs: 0, lockedUntil: 0 };
    entry.failures++;
    // Taken out and put back: the map keeps the order of use, the oldest go first.
    entries.delete(key);
    entries.set(key, entry);
    if (entries.size > mostEntries) entries.delete(entries.keys().next().value!);
    if (entry.failures < limit) return false;
    entry.lockMs = Math.min(longestLockMs, entry.lockMs === 0 ? firstLockMs : entry.lockMs * 2);
    entry.lockedUntil = now + entry.lockMs;
    return true;
  }

  return {
    begin(account, address) {
      const until = Math.max(
        fresh(accountKey(account))?.lockedUntil ?? 0,
        fresh(addressKey(address))?.lockedUntil ?? 0,
      );
      const waitSeconds = Math.max(0, Math.ceil((until - clock.now()) / 1000));
      if (waitSeconds > 0) return { waitSeconds, locks: false };
      const locksAccount = count(accountKey(account), accountLimit);
      const locksAddress = count(addressKey(address), addressLimit);
      return { waitSeconds, locks: locksAccount || locksAddress };
    },
    succeed(account, address) {
      entries.delete(accountKey(account));
      const entry = entries.get(addressKey(address));
      if (!entry) return;
      entry.failures = Math.max(0, entry.failures - 1);
      if (entry.failures < addressLimit) entry.lockedUntil = 0;
    },
  };
}

const accountKey = (account: string) => `account ${account.toLowerCase()}`;
const addressKey = (address: string) => `address ${address}`;
