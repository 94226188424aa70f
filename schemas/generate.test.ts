import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import Type from "typebox";
import { expect, test } from "vitest";
import { emitSchemas, staleSchemas } from "./generate.ts";

const Pet = Type.Object({ name: Type.String() }, { $id: "pet", title: "Pet" });
const APIKey2Owner = Type.Object({ pet: Pet }, { title: "Owner" });

test("every titled schema becomes a file named after its constant", () => {
  const files = emitSchemas({ Pet, APIKey2Owner, helper: Type.String({ title: "x" }), other: 1 });
  expect([...files.keys()]).toEqual(["pet.schema.json", "api-key2-owner.schema.json"]);
});

test("embedded schemas lose their ids, so a validator can hold all files at once", () => {
  const files = emitSchemas({ Pet, APIKey2Owner });
  const ajv = new Ajv2020();
  for (const text of files.values()) ajv.addSchema(JSON.parse(text));
  expect(ajv.validate("api-key2-owner.schema.json", { pet: { name: "Rex" } })).toBe(true);
  expect(ajv.validate("api-key2-owner.schema.json", { pet: {} })).toBe(false);
});

test("changed, missing and left-over files are named", async () => {
  const folder = await mkdtemp(join(tmpdir(), "vmx-schemas-"));
  try {
    const files = emitSchemas({ Pet, APIKey2Owner });
    await writeFile(join(folder, "pet.schema.json"), files.get("pet.schema.json")!);
    await writeFile(join(folder, "gone.schema.json"), "{}");
    expect(await staleSchemas(folder, files)).toEqual([
      "api-key2-owner.schema.json",
      "gone.schema.json",
    ]);
  } finally {
    await rm(folder, { recursive: true });
  }
});
