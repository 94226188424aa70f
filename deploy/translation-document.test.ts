import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));

/** How the code of a warning stands in sources: before its path, or as what is warned of. */
const spelled = [
  /code: (?:[^\n?]*\? )?"([a-z_]+)"(?: : "([a-z_]+)")?,\s*path\b/g,
  /\b(?:warn|note)\(\s*"([a-z_]+)"/g,
];

test("docs/translation.md lists every code of a warning, and no other", () => {
  const folders = [
    "core/gateway",
    "core/kit",
    ...readdirSync(join(root, "plugins")).filter((name) => /^(dialect|provider)-/.test(name))
      .map((name) => `plugins/${name}`),
  ];
  const used = new Set<string>();
  for (const folder of folders) {
    for (const name of readdirSync(join(root, folder))) {
      if (!name.endsWith(".ts") || name.endsWith(".test.ts")) continue;
      const source = readFileSync(join(root, folder, name), "utf8");
      for (const pattern of spelled) {
        for (const [, code, other] of source.matchAll(pattern)) {
          for (const each of [code, other]) if (each !== undefined) used.add(each);
        }
      }
    }
  }
  const [, table = ""] = readFileSync(join(root, "docs/translation.md"), "utf8").split("## Codes");
  const listed = [...table.matchAll(/^\| (`[^|]*)\|/gm)]
    .flatMap(([, cell]) => [...cell!.matchAll(/`([a-z_]+)`/g)].map(([, code]) => code!));
  expect([...used].sort()).toEqual([...listed].sort());
});
