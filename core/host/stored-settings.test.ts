import { expect, test } from "vitest";
import type { Encryption } from "../contract/index.ts";
import { emptySnapshot } from "../store/snapshot-views.ts";
import { isSameSettings, openStoredSettings } from "./stored-settings.ts";

const schema = {
  type: "object",
  properties: { key: { type: "string", format: "secret" }, label: { type: "string" } },
};

/** Seals by writing down what the value is bound to. */
const encryption = () =>
  Promise.resolve({
    open: (sealed, context) => {
      const [prefix, plain] = sealed.split("|");
      const bound = [context.environment, context.owner, context.field].join("/");
      if (prefix !== bound) return Promise.reject(new Error(`bound to ${prefix}, not ${bound}`));
      return Promise.resolve(Buffer.from(plain ?? ""));
    },
  } as Encryption);

/** Sealed another time, under another key: the text differs and the secret does not. */
const sealed = (plain: string, salt = "") => `installation/acme/key|${plain}|${salt}`;

const stored = (settings: Record<string, unknown>) => ({
  ...emptySnapshot,
  plugins: new Map([["acme", { pluginId: "acme", enabled: true, settings, version: 1 }]]),
});

test("secret settings are opened for the plugin and member they were sealed for", async () => {
  const snapshot = stored({ key: "installation/acme/key|k-1", label: "plain" });
  expect(await openStoredSettings(snapshot, "acme", schema, encryption))
    .toMatchObject({ opened: { key: "k-1", label: "plain" }, secrets: ["k-1"] });
  const moved = stored({ key: "installation/other/key|k-1" });
  await expect(openStoredSettings(moved, "acme", schema, encryption)).rejects.toThrow("bound to");
});

test("a plugin nobody has set has no stored settings", async () => {
  expect(await openStoredSettings(stored({}), "other", schema, encryption)).toBeUndefined();
});

test.each<[string, object, object, boolean]>([
  ["nothing at all", {}, {}, true],
  ["one text", { key: sealed("k-1") }, { key: sealed("k-1") }, true],
  ["one secret sealed twice", { key: sealed("k-1", "a") }, { key: sealed("k-1", "b") }, true],
  [
    "members in another order",
    { key: sealed("k"), label: "l" },
    { label: "l", key: sealed("k") },
    true,
  ],
  ["another secret", { key: sealed("k-1") }, { key: sealed("k-2") }, false],
  ["a new secret", {}, { key: sealed("k-1") }, false],
  ["a secret that went", { key: sealed("k-1") }, {}, false],
  [
    "another label",
    { key: sealed("k", "a"), label: "l" },
    { key: sealed("k", "b"), label: "m" },
    false,
  ],
  ["a text that does not open", { key: sealed("k-1") }, { key: "elsewhere|k-1" }, false],
])("settings are compared as the plugin sees them: %s", async (_, one, other, isSame) => {
  expect(await isSameSettings("acme", schema, [{ ...one }, { ...other }], encryption)).toBe(isSame);
});
