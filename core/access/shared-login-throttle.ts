import { randomUUID } from "node:crypto";
import type { Clock, Log } from "../contract/plugin.ts";
import type { SharedState } from "../contract/shared-state.ts";
import { type Attempt, loginLimits, type LoginThrottle, networkOf } from "./login-throttle.ts";
import { hashSecret } from "./token-format.ts";

/** What the shared throttle stands on. */
export interface SharedThrottleParts {
  readonly state: () => Promise<SharedState>;
  /** Counts while the shared state is away. */
  readonly local: LoginThrottle;
  readonly clock: Clock;
  readonly log: Log;
  /** Milliseconds a login waits for the shared state; 250 when absent. */
  readonly patienceMs?: number;
}

const { windowMs, firstLockMs, longestLockMs } = loginLimits;

/** What counting one attempt led to. */
interface Counted {
  /** Milliseconds to wait; above 0 the attempt is refused. */
  readonly waitMs: number;
  /** The lock this attempt took. */
  readonly lock?: { readonly owner: string; readonly before: number; readonly forMs: number };
}

/**
 * Counts in the state that processes share, with the limits of `createLoginThrottle`. While the state is away or
 * slow, this process counts for itself.
 */
export function createSharedLoginThrottle(parts: SharedThrottleParts): LoginThrottle {
  const { local, clock, log } = parts;
  let isAway = false;

  /** Runs work on the shared state; undefined when it fails or takes too long. */
  async function shared<Result>(
    work: (state: SharedState) => Promise<Result>,
  ): Promise<Result | undefined> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error("no answer in time")), parts.patienceMs ?? 250);
    });
    try {
      const result = await Promise.race([parts.state().then(work), late]);
      if (isAway) log.info("Logins are counted in the shared state again");
      isAway = false;
      return result;
    } catch (error) {
      if (!isAway) {
        log.warn("The shared state is away: this process counts failed logins for itself", {
          error,
        });
      }
      isAway = true;
      return undefined;
    } finally {
      clearTimeout(timer);
    }
  }

  async function lockedForMs(state: SharedState, key: string): Promise<number> {
    return Number(await state.get(`${key}:until`) ?? 0) - clock.now();
  }

  async function count(state: SharedState, key: string, limit: number): Promise<Counted> {
    const failures = await state.increment(`${key}:failures`, 1, windowMs);
    const before = Number(await state.get(`${key}:locks`) ?? 0);
    if (failures < limit && before === 0) return { waitMs: 0 };
    const forMs = Math.min(longestLockMs, firstLockMs * 2 ** before);
    const owner = randomUUID();
    // The lease makes the lock one step: of many parallel guesses at the limit a single one goes on.
    const isFirst = await state.lease(`${key}:lock`, owner, forMs);
    if (!isFirst) return { waitMs: Math.max(1000, await lockedForMs(state, key)) };
    await state.set(`${key}:until`, String(clock.now() + forMs), forMs);
    await state.set(`${key}:locks`, String(before + 1), Math.max(windowMs, 2 * forMs));
    return { waitMs: 0, lock: { owner, before, forMs } };
  }

  async function unlock(state: SharedState, key: string, { lock }: Counted): Promise<void> {
    if (!lock) return;
    await state.delete(`${key}:until`);
    await state.release(`${key}:lock`, lock.owner);
    const memoryMs = Math.max(windowMs, 2 * lock.forMs);
    if (lock.before === 0) await state.delete(`${key}:locks`);
    else await state.set(`${key}:locks`, String(lock.before), memoryMs);
  }

  async function takeOff(state: SharedState, key: string): Promise<void> {
    const left = await state.increment(`${key}:failures`, -1, windowMs);
    // A counter below zero would give the next attempts away.
    if (left < 0) await state.delete(`${key}:failures`);
  }

  async function begin(state: SharedState, account: string, address: string): Promise<Attempt> {
    const lockedMs = Math.max(
      await lockedForMs(state, account),
      await lockedForMs(state, address),
    );
    const nothing = () => Promise.resolve();
    if (lockedMs > 0) {
      const waitSeconds = Math.ceil(lockedMs / 1000);
      return { waitSeconds, locks: false, succeed: nothing, withdraw: nothing };
    }
    const byAccount = await count(state, account, loginLimits.account);
    const byAddress = await count(state, address, loginLimits.address);
    return {
      waitSeconds: Math.ceil(Math.max(byAccount.waitMs, byAddress.waitMs) / 1000),
      locks: byAccount.lock !== undefined || byAddress.lock !== undefined,
      succeed: async () => {
        await shared(async (state) => {
          await unlock(state, account, byAccount);
          for (const part of ["failures", "locks"]) await state.delete(`${account}:${part}`);
          await unlock(state, address, byAddress);
          await takeOff(state, address);
        });
      },
      withdraw: async () => {
        await shared(async (state) => {
          await unlock(state, account, byAccount);
          await unlock(state, address, byAddress);
          for (const key of [account, address]) await takeOff(state, key);
        });
      },
    };
  }

  return {
    async begin(account, address) {
      const keys = [accountKey(account), addressKey(address)] as const;
      return await shared((state) => begin(state, ...keys)) ?? await local.begin(account, address);
    },
  };
}

const accountKey = (account: string) => `login:account:${hashSecret(account.toLowerCase())}`;
const addressKey = (address: string) => `login:address:${networkOf(address)}`;
