import { expect, test } from "vitest";
import { readBody, readText } from "./read-body.ts";

async function* body(...chunks: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield new TextEncoder().encode(chunk);
}

test("a body is read to its end, up to the bound", async () => {
  expect(Buffer.from(await readBody(body("ab", "c"), 3)).toString()).toBe("abc");
  expect(await readBody(body(), 0)).toHaveLength(0);
});

test("a body above the bound is refused, and its source is let go", async () => {
  let released = false;
  const endless = async function* (): AsyncGenerator<Uint8Array> {
    try {
      for (;;) yield new Uint8Array(10);
    } finally {
      released = true;
    }
  };
  await expect(readBody(endless(), 25)).rejects.toMatchObject({
    code: "upstream_invalid_response",
  });
  expect(released).toBe(true);
});

test("a text is cut at the bound and the rest is let go", async () => {
  expect(await readText(body("abc", "def", "ghi"), 5)).toBe("abcde");
  expect(await readText(body("abc"), 5)).toBe("abc");
  expect(await readText(body(), 5)).toBe("");
});
