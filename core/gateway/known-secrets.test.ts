import { expect, test } from "vitest";
import { createKnownSecrets } from "./known-secrets.ts";
import { createRedact } from "./redact.ts";

function start() {
  let nowMs = 0;
  const known = createKnownSecrets({ monotonic: () => nowMs });
  return {
    known,
    redact: createRedact([], known.values),
    passMinutes: (minutes: number) => nowMs += minutes * 60_000,
  };
}

test("a secret that was replaced is taken out of texts for another hour", () => {
  const { known, redact, passMinutes } = start();
  known.use("configuration", ["credential-one", "credential-else"]);
  known.use("configuration", ["credential-two", "credential-else"]);
  const text = "credential-one credential-two credential-else";
  expect(redact(text)).toBe("[redacted] [redacted] [redacted]");
  passMinutes(59);
  known.use("configuration", ["credential-three"]);
  expect(redact(text)).toBe("[redacted] [redacted] [redacted]");
  passMinutes(2);
  expect(redact(text)).toBe("credential-one [redacted] [redacted]");
  passMinutes(60);
  expect(redact(text)).toBe(text);
  expect(redact("credential-three")).toBe("[redacted]");
});

test("a secret that comes back into force stays, and one of two sources is enough", () => {
  const { known, redact, passMinutes } = start();
  known.use("configuration", ["credential-one"]);
  known.use("configuration", []);
  known.use("plugin", ["credential-one"]);
  passMinutes(120);
  expect(redact("credential-one")).toBe("[redacted]");
});

test("a secret that begins with an older one is taken out to its end", () => {
  const { known, redact } = start();
  known.use("configuration", ["credential"]);
  known.use("configuration", ["credential-prolonged"]);
  expect(redact("it is credential-prolonged")).toBe("it is [redacted]");
});

test("the list stays the same as long as nothing changes", () => {
  const { known } = start();
  known.use("configuration", ["credential-one"]);
  expect(known.values()).toBe(known.values());
});

test("what is remembered of replaced secrets is bounded", () => {
  const { known, redact } = start();
  for (let index = 0; index < 2_500; index++) known.use("configuration", [`credential ${index}`]);
  expect(known.values().length).toBeLessThan(2_100);
  expect(redact("credential 2499 credential 2498")).toBe("[redacted] [redacted]");
});
