import { expect, test } from "vitest";
import type { Encryption } from "../contract/index.ts";
import { emptySnapshot } from "../store/snapshot-views.ts";
import { openStoredSettings } from "./stored-settings.ts";

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

const stored = (settings: Record<string, unknown>) => ({
  ...emptySnapshot,
  plugins: new Map([["acme", { pluginId: "acme", enabled: true, settings, version: 1 }]]),
});

test("secret settings are opened for the plugin and member they were sealed for", async () => {
  const snapshot = stored({ key: "installation/acme/key|k-1", label: "plain" });
  expect(await openStoredSettings(snapshot, "acme", schema, encryption))
    .toMatchObject({ opened: { key: "k-1", label: "plain" } });
  const moved = stored({ key: "installation/other/key|k-1" });
  await expect(openStoredSettings(moved, "acme", schema, encryption)).rejects.toThrow("bound to");
});

test("a plugin nobody has set has no stored settings", async () => {
  expect(await openStoredSettings(stored({}), "other", schema, encryption)).toBeUndefined();
});
