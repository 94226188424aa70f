import { expect, test } from "vitest";
import type { Warning } from "../contract/index.ts";
import { distinctWarnings } from "./distinct-warnings.ts";

const lost: Warning = { code: "answer_part_dropped", path: "/output", action: "dropped" };

test("a loss is told once, and each other loss stays in its order", () => {
  const image = { ...lost, detail: "file" };
  const other = { ...lost, path: "/output/1" };
  expect(distinctWarnings([image, lost, image, other, lost])).toEqual([image, lost, other]);
});
