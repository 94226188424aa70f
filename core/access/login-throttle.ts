import ipaddr from "ipaddr.js";
import type { Clock } from "../contract/plugin.ts";

/** Slows down password guessing, per account and per address. */
export interface LoginThrottle {
  /** Counts an attempt as failed until `succeed` says otherwise, so that parallel guesses count too. */
  begin(account: string, address: string): Promise<Attempt>;
}

/** Whether an attempt may be made. */
export interface Attempt {
  /** Seconds until another attempt is taken; 0 when this one may be made. */
  readonly waitSeconds: number;
  /** Whether a failure of this attempt locks the account or the address. */
  readonly locks: boolean;
  /** Forgets the account's failures and takes the attempt off the address's. */
  succeed(): Promise<void>;
  /** Takes the attempt off both, with the lock it led to: no password was checked. */
  withdraw(): Promise<void>;
}

/** The limits of security.md section 1; times in milliseconds. */
export const loginLimits = {
  windowMs: 15 * 60_000,
  firstLockMs: 60_000,
  longestLockMs: 60 * 60_000,
  account: 5,
  address: 20,
} as const;

const { windowMs, firstLockMs, longestLockMs } = loginLimits;
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

  async function succeed(account: string, address: string): Promise<void> {
    entries.delete(accountKey(account));
    const entry = entries.get(addressKey(address));
    if (!entry) return;
    entry.failures = Math.max(0, entry.failures - 1);
    if (entry.failures < loginLimits.address) entry.lockedUntil = 0;
  }

  function takeOff(key: string, didLock: boolean): void {
    const entry = entries.get(key);
    if (!entry) return;
    entry.failures = Math.max(0, entry.failures - 1);
    if (!didLock) return;
    entry.lockedUntil = 0;
    entry.lockMs = entry.lockMs > firstLockMs ? entry.lockMs / 2 : 0;
  }

  return {
    async begin(account, address) {
      const until = Math.max(
        fresh(accountKey(account))?.lockedUntil ?? 0,
        fresh(addressKey(address))?.lockedUntil ?? 0,
      );
      const attempt = { succeed: () => succeed(account, address) };
      const waitSeconds = Math.max(0, Math.ceil((until - clock.now()) / 1000));
      if (waitSeconds > 0) return { ...attempt, waitSeconds, locks: false, async withdraw() {} };
      const locksAccount = count(accountKey(account), loginLimits.account);
      const locksAddress = count(addressKey(address), loginLimits.address);
      return {
        ...attempt,
        waitSeconds,
        locks: locksAccount || locksAddress,
        async withdraw() {
          takeOff(accountKey(account), locksAccount);
          takeOff(addressKey(address), locksAddress);
        },
      };
    },
  };
}

const accountKey = (account: string) => `account ${account.toLowerCase()}`;
const addressKey = (address: string) => `address ${networkOf(address)}`;

/** What counts as one address: of IPv6 the network of 64 bits, all of which a single host commonly owns. */
export function networkOf(address: string): string {
  if (!ipaddr.IPv6.isValid(address)) return address;
  const parsed = ipaddr.IPv6.parse(address);
  if (parsed.isIPv4MappedAddress()) return parsed.toIPv4Address().toString();
  return `${parsed.parts.slice(0, 4).map((part) => part.toString(16)).join(":")}::/64`;
}
