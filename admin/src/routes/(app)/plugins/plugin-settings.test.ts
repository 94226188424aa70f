import { expect, test } from "vitest";
import { settingsOf } from "./plugin-settings.ts";

const settingsSchema = {
  type: "object",
  required: ["url", "key"],
  properties: { url: { type: "string", title: "Address" }, key: { type: "string" } },
};

test("what the environment decides is no field of the form, and is not asked for", () => {
  const settings = settingsOf({
    contributes: [],
    settingsSchema,
    settingsFixed: { url: "STORE_URL" },
  });
  expect(settings?.schema).toMatchObject({ required: ["key"], properties: { key: {} } });
  expect(settings?.schema["properties"]).not.toHaveProperty("url");
  expect(settings?.fixed).toEqual([{ name: "url", label: "Address", variable: "STORE_URL" }]);
  expect(settings?.refused).toBeUndefined();
});

test("a plugin that seals secrets keeps none, and one without settings has no form", () => {
  const contributes = [{ point: "encryptions", id: "vault", label: "Vault" }];
  expect(settingsOf({ contributes, settingsSchema, settingsFixed: {} })?.refused).toContain(
    "seals",
  );
  expect(settingsOf({ contributes, settingsSchema: null, settingsFixed: {} })).toBeUndefined();
});
