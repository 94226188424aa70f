import fc from "fast-check";
import { expect, test } from "vitest";
import type { Frame } from "../contract/dialect.ts";
import { createFrameSplitter, createSseReader, parseFrame, writeFrame } from "./sse.ts";

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array): string =>
  new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);

/** Cuts a stream at the given sizes, in turn. */
function pieces(bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const out: Uint8Array[] = [];
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = sizes[turn % sizes.length]!;
    out.push(bytes.slice(at, at + size));
    at += size;
  }
  return out;
}

function split(chunks: readonly Uint8Array[]): { frames: string[]; rest: string } {
  const splitter = createFrameSplitter();
  const frames: string[] = [];
  for (const chunk of chunks) {
    const { bytes, ends } = splitter.push(chunk);
    let from = 0;
    for (const end of ends) {
      frames.push(decode(bytes.slice(from, end)));
      from = end;
    }
    expect(from).toBe(bytes.length);
  }
  return { frames, rest: decode(splitter.end()) };
}

function read(text: string): Frame[] {
  const reader = createSseReader();
  return [...reader.push(encode(text)), ...reader.end()];
}

const lineEnd = fc.constantFrom("\n", "\r\n", "\r");
const word = fc.string({
  unit: fc.constantFrom("a", ":", " ", "é", "日", "🌍", '"'),
  maxLength: 8,
});

test("frames come out whole and byte-equal however the stream is torn", () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(word, { minLength: 1, maxLength: 3 }), { maxLength: 6 }),
      lineEnd,
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 }),
      fc.string({ maxLength: 5 }),
      (blocks, end, sizes, tail) => {
        const lines = (block: readonly string[]) => block.map((line) => `x${line}${end}`).join("");
        const frames = blocks.map((block) => lines(block) + end);
        const rest = tail.replace(/[\r\n]/g, "");
        const stream = encode(frames.join("") + rest);
        const whole = split([stream]);
        const torn = split(pieces(stream, sizes));
        expect(torn.frames.join("") + torn.rest).toBe(decode(stream));
        expect(torn).toEqual(whole);
        expect(whole).toEqual({ frames, rest });
      },
    ),
  );
});

test("a bare CR ends a line even where the next chunk begins with the LF of another frame", () => {
  expect(split([encode("data: a\r\n\r"), encode("\ndata: b\r\n\r\n")]).frames).toEqual([
    "data: a\r\n\r\n",
    "data: b\r\n\r\n",
  ]);
  expect(split([encode("data: a\r\r"), encode("data: b\r\r")]).frames).toEqual([
    "data: a\r\r",
    "data: b\r\r",
  ]);
});

test("a frame above the bound is handed on as it comes, and the next one is whole again", () => {
  const splitter = createFrameSplitter(8);
  expect(splitter.push(encode("data: "))).toMatchObject({ oversize: false, ends: [] });
  const over = splitter.push(encode("abcdef"));
  expect(over).toMatchObject({ oversize: true, ends: [] });
  expect(decode(over.bytes)).toBe("data: abcdef");
  expect(decode(splitter.push(encode("gh")).bytes)).toBe("gh");
  const closing = splitter.push(encode("i\n\ndata: x\n\nda"));
  expect(decode(closing.bytes)).toBe("i\n\ndata: x\n\n");
  expect(closing).toMatchObject({ ends: [3, 12], oversize: false });
  expect(decode(splitter.end())).toBe("da");
});

test("fields are read as the event stream standard says", () => {
  expect(read("data: a\ndata:b\ndata\n\n")).toEqual([{ data: "a\nb\n" }]);
  expect(read("event: ping\ndata: {}\nid: 1\nretry: 5\n\n")).toEqual([{
    event: "ping",
    data: "{}",
  }]);
  expect(read(": comment\n\nevent: none\n\n\n\ndata:  two\n\n")).toEqual([{ data: " two" }]);
  expect(read("\ufeffdata: after the mark\n\n")).toEqual([{ data: "after the mark" }]);
  expect(read("data: no blank line")).toEqual([{ data: "no blank line" }]);
  expect(parseFrame(encode(""))).toBeUndefined();
});

test("what is written is read again", () => {
  fc.assert(
    fc.property(fc.string(), fc.option(word, { nil: undefined }), (data, event) => {
      const frame: Frame = event === undefined ? { data } : { event: `e${event}`, data };
      expect(read(writeFrame(frame))).toEqual([
        { ...frame, data: data.replace(/\r\n|\r/g, "\n") },
      ]);
    }),
  );
});

test("an event name cannot smuggle in lines", () => {
  expect(writeFrame({ event: "a\ndata: b", data: "c" })).toBe("event: adata: b\ndata: c\n\n");
});
