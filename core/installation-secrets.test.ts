import { expect, test } from "vitest";
import { installationSecrets } from "./installation-secrets.ts";
import { Secret } from "./kit/secret.ts";

const schema = { properties: { url: { format: "secret" }, table: {}, keys: { format: "secret" } } };
const host = {
  plugins: () =>
    [{
      settings: {
        schema,
        fixed: { url: "STORE_URL", table: "STORE_TABLE", keys: "KEY_RING" },
        activeWith: undefined,
      },
    }] as never,
};

test("of addresses the password counts, of lists each part, and what is no secret does not", () => {
  const config = {
    name: "not a secret",
    database: { url: new Secret("postgres://user:p%40ss,word-of-it@host:5432/name") },
    token: new Secret("a-token-of-the-administrator"),
    other: { url: new Secret("postgres://host/without") },
  };
  const environment = {
    STORE_URL: "redis://:password-one@a:1, redis://user:password-two@b:2,redis://:short@c:3",
    STORE_TABLE: "usage",
    KEY_RING: "1:first+key+of+two=, 2:second/key/of/two=",
    UNRELATED: "value",
  };
  expect(installationSecrets(config, host, environment)).toEqual([
    "p%40ss,word-of-it",
    "p@ss,word-of-it",
    "a-token-of-the-administrator",
    "password-one",
    "password-two",
    "first+key+of+two=",
    "second/key/of/two=",
  ]);
});
