import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { hostileSchemas } from "./hostile-schemas.ts";
import { kindOf, membersOf, resolveReference, type Schema } from "./schema.ts";
import { validate } from "./validate.ts";

const plugins = new URL("../../../../plugins/", import.meta.url);
const schemas = readdirSync(plugins).flatMap((folder) => {
  try {
    const text = readFileSync(new URL(`${folder}/configuration.schema.json`, plugins), "utf8");
    return [[folder, JSON.parse(text) as Schema] as const];
  } catch {
    return [];
  }
});

test("every built-in provider gets fields, and every secret is one", () => {
  expect(schemas.length).toBeGreaterThanOrEqual(7);
  for (const [folder, schema] of schemas) {
    const members = membersOf(schema, schema, {});
    expect(members.length, folder).toBeGreaterThan(0);
    for (const member of members) {
      const kind = kindOf(member.schema, schema, 1);
      expect(kind, `${folder} ${member.name}`).not.toBe("json");
      if (JSON.stringify(member.schema).includes('"format":"secret"') && kind !== "map") {
        expect(kind, `${folder} ${member.name}`).toBe("secret");
      }
    }
  }
});

test("needed members come first, and faults are told at their place in plain words", () => {
  const schema = schemas.find(([folder]) => folder === "provider-aws-bedrock")![1];
  expect(membersOf(schema, schema, {})[0]!.name).toBe("region");
  expect(validate(schema, {})).toEqual({ "/region": "Needed" });
  expect(validate(schema, { region: "us-east-1", accessKeyId: "AKIA" })).toEqual({
    "/secretAccessKey": "Needed",
  });
  expect(validate(schema, { region: "Mars" })["/region"]).toContain("such as us-east-1");
});

test("a stored secret is right, whatever its pattern says", () => {
  const schema = schemas.find(([folder]) => folder === "provider-openai")![1];
  const withPattern = {
    ...schema,
    required: [],
    properties: { apiKey: { type: "string", format: "secret", pattern: "^sk-" } },
  };
  expect(validate(withPattern, { apiKey: "********" })).toEqual({});
  expect(validate(withPattern, { apiKey: "no" })).toHaveProperty("/apiKey");
});

test("no schema, however odd, makes the form fail", () => {
  expect(hostileSchemas).toHaveLength(20);
  for (const { name, schema } of hostileSchemas) {
    const root = (typeof schema === "object" && schema !== null ? schema : {}) as Schema;
    const resolved = resolveReference(root, root);
    expect(() => {
      kindOf(resolved, root, 0);
      for (const member of membersOf(resolved, root, {})) kindOf(member.schema, root, 1);
      validate(root, { a: 1 });
    }, name).not.toThrow();
  }
});
