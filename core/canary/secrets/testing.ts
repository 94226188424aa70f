import { randomBytes } from "node:crypto";
import type { Canary } from "../forms.ts";

/** Secrets a gateway, its callers and its operators have, as unmistakable values. */
export type Secrets = ReturnType<typeof createSecrets>;

/** Makes secrets for one run. */
export function createSecrets() {
  const masterKey = randomBytes(32);
  const given = {
    "provider key": random(20),
    "awkward provider key": awkward(),
    "provider header": `${awkward()} with blanks ${random(8)}`,
    "first-run provider key": random(20),
    "AWS access key": random(16),
    "AWS secret": `${random(14)}/+${random(8)}`,
    "AWS session token": `${random(20)}+/==`,
    "first-run AWS secret": random(20),
    "OIDC client secret": awkward(),
    "master key": masterKey.toString("base64"),
    "next master key": randomBytes(32).toString("base64"),
    "database password": awkward(),
    "Redis password": awkward(),
    "usage store password": random(20),
    "collector header": random(20),
    "administrator's password": `${awkward()} é`,
    "administrator's token": random(24),
    // Without the last four characters, which lists show.
    "first API key": `a-chosen-key-${random(20)}`,
    "user's password": `${awkward()} ü`,
    "user's next password": awkward(),
    "mistyped password": awkward(),
    "password typed as a name": awkward(),
    "mistyped key": random(20),
    "mistyped token": random(20),
    "refused provider key": awkward(),
  };
  return {
    given,
    /** The first API key as a whole: lists show its end. */
    firstKey: `${given["first API key"]}four`,
    /** Leaks on purpose, in each kind of place, and so must be found in each. */
    planted: random(20),
    /** What is searched for. */
    canaries(): Canary[] {
      const texts = Object.entries(given).map(([name, value]) => ({ name, value }));
      return [...texts, { name: "master key as bytes", value: masterKey }];
    },
  };
}

/** Hexadecimal characters. */
export function random(bytes: number): string {
  return randomBytes(bytes).toString("hex");
}

/** A secret with characters that every encoding writes in a way of its own. */
function awkward(): string {
  const middle = [..."\"\\/+&=%<>'"].map((one) => one + random(1)).join("");
  return `${random(9)}${middle}${random(9)}`;
}
