import { expect, test } from "vitest";
import { createApiKeyValue, hasValidChecksum } from "./api-key-format.ts";
import type { Clock, SharedState } from "../contract/index.ts";
import { silentLog } from "../store/testing.ts";
import { createLoginThrottle, type LoginThrottle } from "./login-throttle.ts";
import { createPasswords } from "./password.ts";
import { brokenPasswordRules } from "./password-rules.ts";
import { createSharedLoginThrottle } from "./shared-login-throttle.ts";

const throttles: Readonly<Record<string, (clock: Clock) => LoginThrottle>> = {
  "by itself": createLoginThrottle,
  "in shared state": (clock) => {
    const state = Promise.resolve(createTestState(clock));
    return createSharedLoginThrottle({
      state: () => state,
      local: refusing,
      clock,
      log: silentLog,
    });
  },
};

test.each(Object.entries(throttles))(
  "counting %s, five failures lock an account for a minute, then twice as long, up to an hour",
  async (_name, create) => {
    let now = 0;
    const throttle = create({ now: () => now, monotonic: () => now });
    const begin = async (account: string, address: string) => {
      const { waitSeconds, locks } = await throttle.begin(account, address);
      return { waitSeconds, locks };
    };
    for (let attempt = 1; attempt <= 5; attempt++) {
      expect(await begin("Ada", `10.0.0.${attempt}`))
        .toEqual({ waitSeconds: 0, locks: attempt === 5 });
    }
    expect((await begin("ada", "10.0.0.9")).waitSeconds).toBe(60);
    now += 60_000;
    expect((await begin("ada", "10.0.0.9")).waitSeconds).toBe(0);
    expect((await begin("ada", "10.0.0.9")).waitSeconds).toBe(120);
    for (let round = 0; round < 8; round++) {
      now += (await begin("ada", "10.0.0.9")).waitSeconds * 1000;
      await begin("ada", `10.0.1.${round}`);
    }
    expect((await begin("ada", "10.0.0.9")).waitSeconds).toBe(3600);
  },
);

test.each(Object.entries(throttles))(
  "counting %s, a success clears the account, and twenty failures lock an address for everybody",
  async (_name, create) => {
    const throttle = create({ now: () => 0, monotonic: () => 0 });
    for (let round = 0; round < 50; round++) {
      const attempt = await throttle.begin("ada", "10.0.0.1");
      expect(attempt.waitSeconds).toBe(0);
      await attempt.succeed();
    }
    for (let round = 0; round < 20; round++) await throttle.begin(`user${round}`, "10.0.0.2");
    expect((await throttle.begin("somebody", "10.0.0.2")).waitSeconds).toBeGreaterThan(0);
    expect((await throttle.begin("somebody", "10.0.0.3")).waitSeconds).toBe(0);
  },
);

test.each(Object.entries(throttles))(
  "counting %s, a success at the limit of an address takes its lock back",
  async (_name, create) => {
    const throttle = create({ now: () => 0, monotonic: () => 0 });
    for (let round = 0; round < 19; round++) await throttle.begin(`user${round}`, "10.0.0.2");
    const twentieth = await throttle.begin("ada", "10.0.0.2");
    expect(twentieth.locks).toBe(true);
    await twentieth.succeed();
    expect((await throttle.begin("somebody", "10.0.0.2")).waitSeconds).toBe(0);
  },
);

test.each(Object.entries(throttles))(
  "counting %s, an attempt that is withdrawn has not been made, nor has its lock",
  async (_name, create) => {
    let now = 0;
    const throttle = create({ now: () => now, monotonic: () => now });
    const fail = async () => (await throttle.begin("ada", "10.0.0.1")).waitSeconds;
    for (let round = 0; round < 50; round++) {
      const attempt = await throttle.begin("ada", "10.0.0.1");
      expect(attempt.waitSeconds).toBe(0);
      await attempt.withdraw();
    }
    for (let round = 0; round < 4; round++) expect(await fail()).toBe(0);
    const fifth = await throttle.begin("ada", "10.0.0.1");
    expect(fifth.locks).toBe(true);
    await fifth.withdraw();
    expect(await fail()).toBe(0);
    expect(await fail()).toBe(60);
    now += 60_000;
    await (await throttle.begin("ada", "10.0.0.1")).withdraw();
    expect(await fail()).toBe(0);
    expect(await fail()).toBe(120);
  },
);

test("an IPv6 host counts as one address, however many of its network's it uses", async () => {
  const throttle = createLoginThrottle({ now: () => 0, monotonic: () => 0 });
  for (let round = 0; round < 20; round++) {
    await throttle.begin(`user${round}`, `2001:db8:1:2::${round}`);
  }
  expect((await throttle.begin("x", "2001:db8:1:2:ffff::1")).waitSeconds).toBeGreaterThan(0);
  expect((await throttle.begin("x", "2001:db8:1:3::1")).waitSeconds).toBe(0);
});

test("of fifty guesses at once, in two processes, five are checked", async () => {
  const clock = { now: () => 0, monotonic: () => 0 };
  const state = createTestState(clock);
  const processes = [1, 2].map(() =>
    createSharedLoginThrottle({
      state: () => Promise.resolve(state),
      local: refusing,
      clock,
      log: silentLog,
    })
  );
  const attempts = await Promise.all(
    Array.from({ length: 50 }, (_, index) => processes[index % 2]!.begin("ada", `10.0.${index}.1`)),
  );
  expect(attempts.filter(({ waitSeconds }) => waitSeconds === 0)).toHaveLength(5);
});

test("while the shared state is away or stuck, logins are counted by the process itself", async () => {
  const clock = { now: () => 0, monotonic: () => 0 };
  const states = [
    () => Promise.reject(new Error("away")),
    () => new Promise<never>(() => {}),
  ];
  for (const state of states) {
    const throttle = createSharedLoginThrottle({
      state,
      local: createLoginThrottle(clock),
      clock,
      log: silentLog,
      patienceMs: 5,
    });
    for (let round = 0; round < 5; round++) await throttle.begin("ada", "10.0.0.1");
    expect((await throttle.begin("ada", "10.0.0.1")).waitSeconds).toBe(60);
  }
});

test("a password is checked by argon2id, and a missing user never matches", async () => {
  const passwords = createPasswords();
  const stored = await passwords.hash("correct horse battery");
  expect(stored).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  expect(await passwords.verify(stored, "correct horse battery")).toBe(true);
  expect(await passwords.verify(stored, "wrong")).toBe(false);
  expect(await passwords.verify(null, "no user has this password")).toBe(false);
  expect(passwords.isOutdated(stored)).toBe(false);
  expect(passwords.isOutdated("$argon2id$v=19$m=4096,t=2,p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2g")).toBe(
    true,
  );
});

test("a burst of logins beyond the queue is turned away instead of exhausting memory", async () => {
  const passwords = createPasswords({ atOnce: 1, waiting: 1 });
  const outcomes = await Promise.allSettled(
    Array.from({ length: 4 }, (_, index) => passwords.hash(`password ${index}`)),
  );
  expect(outcomes.map(({ status }) => status))
    .toEqual(["fulfilled", "fulfilled", "rejected", "rejected"]);
});

test("a password is long enough, not the name, not the email, not a common one", async () => {
  const owner = { username: "adalovelace1815", email: "ada@example.com" };
  expect(await brokenPasswordRules("x7#kQ", owner)).toEqual(["must have at least 12 characters"]);
  expect(await brokenPasswordRules("AdaLovelace1815", owner)).toEqual(["must not be the username"]);
  expect(await brokenPasswordRules("ADA@example.com", owner)).toEqual(["must not be the email"]);
  expect(await brokenPasswordRules("Qwerty123456", owner)).toEqual([
    "must not be a common password",
  ]);
  expect(await brokenPasswordRules("password", owner)).toHaveLength(2);
  expect(await brokenPasswordRules("x".repeat(129), owner)).toHaveLength(1);
  expect(await brokenPasswordRules("a sentence nobody else uses", owner)).toEqual([]);
});

test("an API key carries a checksum that catches a mistyped character", () => {
  const value = createApiKeyValue();
  expect(value).toMatch(/^vmx_sk_[0-9A-Za-z]{49}$/);
  expect(hasValidChecksum(value)).toBe(true);
  const wrong = value.slice(0, 20) + (value[20] === "a" ? "b" : "a") + value.slice(21);
  expect(hasValidChecksum(wrong)).toBe(false);
});

const refusing: LoginThrottle = {
  begin: () => Promise.reject(new Error("the shared state is there")),
};

/** The part of a shared state that counting needs; each step takes a turn, as over a network. */
function createTestState(clock: Clock): SharedState {
  const values = new Map<string, { value: string; endsAt: number }>();
  const live = (key: string) => {
    const entry = values.get(key);
    return entry && entry.endsAt > clock.monotonic() ? entry : undefined;
  };
  const put = (key: string, value: string, ttlMs: number) =>
    void values.set(key, { value, endsAt: clock.monotonic() + ttlMs });
  const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
  const state: Partial<SharedState> = {
    async get(key) {
      await turn();
      return live(key)?.value;
    },
    async set(key, value, ttlMs) {
      await turn();
      put(key, value, ttlMs);
    },
    async delete(key) {
      await turn();
      values.delete(key);
    },
    async increment(key, by, ttlMs) {
      await turn();
      const entry = live(key);
      const value = Number(entry?.value ?? 0) + by;
      if (entry) entry.value = String(value);
      else put(key, String(value), ttlMs);
      return value;
    },
    async lease(name, owner, ttlMs) {
      await turn();
      const held = live(`lease ${name}`);
      if (held && held.value !== owner) return false;
      put(`lease ${name}`, owner, ttlMs);
      return true;
    },
    async release(name, owner) {
      await turn();
      if (live(`lease ${name}`)?.value === owner) values.delete(`lease ${name}`);
    },
  };
  return state as SharedState;
}
