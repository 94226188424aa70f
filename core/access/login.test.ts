import { expect, test } from "vitest";
import { createApiKeyValue, hasValidChecksum } from "./api-key-format.ts";
import { createLoginThrottle } from "./login-throttle.ts";
import { createPasswords } from "./password.ts";
import { brokenPasswordRules } from "./password-rules.ts";

test("five failures lock an account for a minute, then twice as long, up to an hour", () => {
  let now = 0;
  const throttle = createLoginThrottle({ now: () => now, monotonic: () => now });
  for (let attempt = 1; attempt <= 5; attempt++) {
    expect(throttle.begin("Ada", `10.0.0.${attempt}`))
      .toEqual({ waitSeconds: 0, locks: attempt === 5 });
  }
  expect(throttle.begin("ada", "10.0.0.9").waitSeconds).toBe(60);
  now += 60_000;
  expect(throttle.begin("ada", "10.0.0.9").waitSeconds).toBe(0);
  expect(throttle.begin("ada", "10.0.0.9").waitSeconds).toBe(120);
  for (let round = 0; round < 8; round++) {
    now += throttle.begin("ada", "10.0.0.9").waitSeconds * 1000;
    throttle.begin("ada", `10.0.1.${round}`);
  }
  expect(throttle.begin("ada", "10.0.0.9").waitSeconds).toBe(3600);
});

test("a success clears the account, and twenty failures lock an address for every account", () => {
  const throttle = createLoginThrottle({ now: () => 0, monotonic: () => 0 });
  for (let round = 0; round < 50; round++) {
    expect(throttle.begin("ada", "10.0.0.1").waitSeconds).toBe(0);
    throttle.succeed("ada", "10.0.0.1");
  }
  for (let round = 0; round < 20; round++) throttle.begin(`user${round}`, "10.0.0.2");
  expect(throttle.begin("somebody", "10.0.0.2").waitSeconds).toBeGreaterThan(0);
  expect(throttle.begin("somebody", "10.0.0.3").waitSeconds).toBe(0);
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
