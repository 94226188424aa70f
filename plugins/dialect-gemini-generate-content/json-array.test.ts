import fc from "fast-check";
import { expect, test } from "vitest";
import { createJsonArrayFramer } from "./json-array.ts";

const encoder = new TextEncoder();

function cut(text: string, size: number): string[] {
  const framer = createJsonArrayFramer();
  const bytes = encoder.encode(text);
  const frames = [];
  for (let at = 0; at < bytes.length; at += size) {
    frames.push(...framer.push(bytes.subarray(at, at + size)));
  }
  return [...frames, ...framer.end()].map(({ data }) => data);
}

test("elements come out as they are, however the array is cut", () => {
  const element = fc.dictionary(fc.string(), fc.jsonValue());
  fc.assert(fc.property(fc.array(element), fc.integer({ min: 1, max: 9 }), (elements, size) => {
    const texts = elements.map((each) => JSON.stringify(each));
    expect(cut(`[${texts.join(",\r\n")}\n]`, size)).toEqual(texts);
  }));
});

test("an array that does not end, and what is no array of objects, is refused", () => {
  for (const text of ["[", '[{"a":1}', '[{"a":1}, {"b"', "", "{}", "[1]", "nope", '[{"a":1}] x']) {
    expect(() => cut(text, 3)).toThrow(
      expect.objectContaining({ code: "upstream_invalid_response" }),
    );
  }
});
