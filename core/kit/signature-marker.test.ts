import fc from "fast-check";
import { expect, test } from "vitest";
import {
  markSignature,
  readSignature,
  stripSignature,
  withoutSignatures,
} from "./signature-marker.ts";

test("any signature comes back exactly, and the id without its mark", () => {
  const ids = fc.stringMatching(/^[a-zA-Z0-9_-]{0,20}$/).filter((id) => !id.includes("__vmxsig_"));
  const base64 = fc.uint8Array({ minLength: 1, maxLength: 200 })
    .map((bytes) => Buffer.from(bytes).toString("base64"));
  const signatures = fc.oneof(base64, fc.string({ unit: "grapheme", minLength: 1 }));
  fc.assert(fc.property(ids, signatures, (id, signature) => {
    const marked = markSignature(id, signature);
    expect(marked).toMatch(/^[A-Za-z0-9_-]+$/);
    expect(readSignature(marked)).toEqual({ id, signature });
    expect(stripSignature(marked)).toBe(id);
  }));
});

test("base64 stays as long as it was", () => {
  const signature = Buffer.alloc(300, 7).toString("base64");
  expect(markSignature("", signature).length).toBeLessThanOrEqual(signature.length + 10);
});

test("an id without a mark is left alone", () => {
  expect(readSignature("call_1")).toBeUndefined();
  expect(stripSignature("call_1")).toBe("call_1");
});

test("a mark that was altered gives the id and no signature", () => {
  const marked = markSignature("call_1", "c2ln");
  expect(readSignature(`${marked} `)).toEqual({ id: "call_1" });
  expect(readSignature("call_1__vmxsig_")).toEqual({ id: "call_1" });
  expect(readSignature("call_1__vmxsig_xAAAA")).toEqual({ id: "call_1" });
  expect(stripSignature(`${marked} `)).toBe("call_1");
});

test("marks are taken out of every id of a body, and nothing else is touched", () => {
  const id = markSignature("call_1", "c2ln");
  const bodies = [
    (id: string) => ({
      messages: [
        { role: "assistant", tool_calls: [{ id, function: { name: "f", arguments: "{}" } }] },
        { role: "tool", tool_call_id: id, content: "1" },
      ],
    }),
    (id: string) => ({ input: [{ type: "function_call", call_id: id, name: "f" }] }),
    (id: string) => ({
      messages: [{ content: [{ type: "tool_use", id }, { type: "tool_result", tool_use_id: id }] }],
    }),
  ];
  for (const body of bodies) {
    const marked = body(id);
    const before = JSON.stringify(marked);
    expect(withoutSignatures(marked)).toEqual(body("call_1"));
    expect(JSON.stringify(marked)).toBe(before);
    const plain = body("call_1");
    expect(withoutSignatures(plain)).toBe(plain);
  }
  const quoted = { messages: [{ role: "user", content: `What is ${id}?` }] };
  expect(withoutSignatures(quoted)).toBe(quoted);
});
