import { expect, test } from "vitest";
import { isPackedReasoning, packReasoning, unpackReasoning } from "./reasoning-mark.ts";

test("packed reasoning comes back as it was", () => {
  for (
    const reasoning of [
      { family: "a", signature: "sig+/=" },
      { family: "b", encrypted: "密" },
      { family: "c", signature: "s", encrypted: "e" },
    ]
  ) {
    const packed = packReasoning(reasoning);
    expect(packed).toMatch(/^[\x21-\x7e]+$/);
    expect(isPackedReasoning(packed)).toBe(true);
    expect(unpackReasoning(packed)).toEqual(reasoning);
  }
});

test("a provider's own text and an altered one are not unpacked", () => {
  const packed = packReasoning({ family: "a", signature: "s" });
  expect(unpackReasoning("EqQBCkYIARgC")).toBeUndefined();
  expect(unpackReasoning(packed.slice(0, -4))).toBeUndefined();
  expect(unpackReasoning("vmx1.")).toBeUndefined();
});
