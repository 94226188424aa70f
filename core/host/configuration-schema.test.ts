import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { Secret } from "../kit/secret.ts";
import {
  compileConfiguration,
  destinationPaths,
  isMask,
  mask,
  secretPaths,
  valueAt,
  withSecrets,
  withValueAt,
} from "./configuration-schema.ts";

const schema = JSON.parse(
  await readFile(
    new URL(
      "../../plugins/provider-openai-compatible/configuration.schema.json",
      import.meta.url,
    ),
    "utf8",
  ),
);
const config = {
  baseUrl: "https://llm.example.com/v1",
  apiKey: "k-1",
  headers: { "api-key": "k-2", "x.dotted": "k-3", "X-Forwarded-Host": "other.example.com" },
};

test("secrets are found in members and in the values of maps", () => {
  expect(secretPaths(schema, config)).toEqual([
    "apiKey",
    "headers.api-key",
    "headers.x\\.dotted",
    "headers.X-Forwarded-Host",
  ]);
});

test("a missing secret has no path", () => {
  expect(secretPaths(schema, { baseUrl: "https://a.example.com" })).toEqual([]);
});

test("destinations are the base URL and headers that carry a host", () => {
  expect(destinationPaths(schema, config)).toEqual(["baseUrl", "headers.X-Forwarded-Host"]);
});

test("masking hides every secret and nothing else, and leaves the original alone", () => {
  const masked = mask(schema, config);
  expect(masked).toEqual({
    baseUrl: config.baseUrl,
    apiKey: "********",
    headers: { "api-key": "********", "x.dotted": "********", "X-Forwarded-Host": "********" },
  });
  expect(config.apiKey).toBe("k-1");
  expect(isMask("********")).toBe(true);
  expect(isMask("k*")).toBe(false);
  expect(isMask("")).toBe(false);
});

test("secrets become values that do not print", () => {
  const secret = withSecrets(schema, config);
  expect(JSON.stringify(secret)).not.toMatch(/k-[123]/);
  expect((valueAt(secret, "headers.x\\.dotted") as Secret).reveal()).toBe("k-3");
  expect(mask(schema, secret)).toEqual(mask(schema, config));
});

test("values are read and replaced by path, and names of the prototype are just names", () => {
  const changed = withValueAt(config, "headers.x\\.dotted", undefined);
  expect(valueAt(changed, "headers")).toEqual({
    "api-key": "k-2",
    "X-Forwarded-Host": "other.example.com",
  });
  expect(valueAt(config, "constructor.name")).toBeUndefined();
  const odd = withValueAt({}, "__proto__.polluted", "yes");
  expect(Object.hasOwn(odd, "__proto__")).toBe(true);
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
});

test("secrets behind references, alternatives and lists are found once", () => {
  const nested = {
    $defs: { key: { type: "string", format: "secret" }, self: { $ref: "#/$defs/self" } },
    type: "object",
    properties: {
      list: { type: "array", items: { properties: { key: { $ref: "#/$defs/key" } } } },
      loop: { $ref: "#/$defs/self" },
      either: { anyOf: [{ $ref: "#/$defs/key" }, { type: "string", format: "secret" }] },
    },
    allOf: [{ properties: { either: { format: "secret" } } }],
  };
  const value = { list: [{ key: "a" }, { key: "b" }], loop: { x: 1 }, either: "c" };
  expect(secretPaths(nested, value).sort()).toEqual(["either", "list.0.key", "list.1.key"]);
  expect(mask(nested, value).list).toEqual([{ key: "********" }, { key: "********" }]);
});

test("faults name the member and the rule, never the value", () => {
  const compiled = compileConfiguration(schema);
  const faults = compiled.check({
    apiKey: "two words",
    headers: { Authorization: "Bearer x" },
    dialects: ["morse"],
    extra: 1,
  });
  expect(faults.map((fault) => `${fault.path} ${fault.code}`).sort()).toEqual([
    "/apiKey pattern",
    "/baseUrl required",
    "/dialects/0 enum",
    "/extra additionalProperties",
    "/headers/Authorization propertyNames",
  ]);
  expect(JSON.stringify(faults)).not.toContain("two words");
});

test("checking leaves a configuration alone, completing fills defaults in a copy", () => {
  const compiled = compileConfiguration(schema);
  const plain = { baseUrl: "https://a.example.com" };
  expect(compiled.check(plain)).toEqual([]);
  expect(compiled.complete(plain)).toEqual({
    ...plain,
    dialects: ["openai-chat"],
    supportsStreamUsage: true,
  });
  expect(plain).toEqual({ baseUrl: "https://a.example.com" });
});
