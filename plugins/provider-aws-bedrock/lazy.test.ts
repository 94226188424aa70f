import { createRequire } from "node:module";
import { expect, test } from "vitest";
import type { PluginContext } from "@vmx/core/contract";
import plugin from "./index.ts";

/** Packages of AWS that are loaded in this process. */
function loaded(): Set<string> {
  const paths = Object.keys(createRequire(import.meta.url).cache);
  return new Set(
    paths.flatMap((path) => /node_modules\/(@(?:aws-sdk|smithy)\/[^/]+)/.exec(path)?.[1] ?? []),
  );
}

test("nothing of AWS is loaded before activation, and no client of its SDK by it", async () => {
  expect(loaded()).toEqual(new Set());
  const provided: string[] = [];
  const context = {
    config: { ambientCredentials: "deny" },
    provide: (_point: string, id: string) => provided.push(id),
  } as unknown as PluginContext;
  await plugin.activate(context);
  expect(provided).toEqual(["aws-bedrock"]);
  expect(loaded()).toContain("@smithy/signature-v4");
  expect([...loaded()].filter((name) => name.startsWith("@aws-sdk/"))).toEqual([]);
});
