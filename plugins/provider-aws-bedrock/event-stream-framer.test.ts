import { EventStreamCodec } from "@smithy/core/event-streams";
import type { MessageHeaders } from "@smithy/types";
import type { Frame } from "@vmx/core/contract";
import fc from "fast-check";
import { expect, test } from "vitest";
import { createEventStreamFramer } from "./event-stream-framer.ts";

const codec = new EventStreamCodec(
  (bytes) => typeof bytes === "string" ? bytes : new TextDecoder().decode(bytes),
  (text) => new TextEncoder().encode(text),
);

function message(headers: Readonly<Record<string, string>>, body: string): Uint8Array {
  const typed: MessageHeaders = Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, { type: "string", value }]),
  );
  return codec.encode({ headers: typed, body: new TextEncoder().encode(body) });
}

const event = (name: string, body: string) =>
  message(
    { ":event-type": name, ":content-type": "application/json", ":message-type": "event" },
    body,
  );

const stream = Buffer.concat([
  event("messageStart", '{"role":"assistant"}'),
  event("contentBlockDelta", '{"delta":{"text":"Grüß Gott 🌍"},"contentBlockIndex":0}'),
  message(
    { ":exception-type": "throttlingException", ":message-type": "exception" },
    '{"message":"slow down"}',
  ),
  message({
    ":message-type": "error",
    ":error-code": "InternalFailure",
    ":error-message": "broke",
  }, ""),
]);

const frames: readonly Frame[] = [
  { event: "messageStart", data: '{"role":"assistant"}' },
  {
    event: "contentBlockDelta",
    data: '{"delta":{"text":"Grüß Gott 🌍"},"contentBlockIndex":0}',
  },
  { event: "throttlingException", data: '{"message":"slow down"}' },
  { event: "error", data: '{"code":"InternalFailure","message":"broke"}' },
];

/** Cuts chunks into frames; the error is what ended it. */
function cut(chunks: Iterable<Uint8Array>): { frames: Frame[]; error?: unknown } {
  const framer = createEventStreamFramer();
  const out: Frame[] = [];
  try {
    for (const chunk of chunks) out.push(...framer.push(chunk));
    out.push(...framer.end());
    return { frames: out };
  } catch (error) {
    return { frames: out, error };
  }
}

function* chunked(bytes: Uint8Array, size: number): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) {
    // Each chunk is a buffer of its own, as from a socket.
    yield Uint8Array.from(bytes.subarray(at, at + size));
  }
}

test.each([1, 2, 3, 7, 12, 13, 37, 100, 4096])(
  "messages come out as frames in chunks of %d bytes",
  (size) => expect(cut(chunked(stream, size))).toEqual({ frames }),
);

test("messages come out the same however the stream is torn", () => {
  fc.assert(fc.property(
    fc.array(fc.integer({ min: 1, max: stream.length }), { maxLength: 12 }),
    (places) => {
      const borders = [0, ...places.sort((a, b) => a - b), stream.length];
      const chunks = borders.slice(1).map((end, at) => stream.subarray(borders[at], end));
      expect(cut(chunks)).toEqual({ frames });
    },
  ));
});

test("a stream cut at any byte but a border is refused, and gives the whole frames before", () => {
  const borders = new Set([0]);
  let border = 0;
  while (border < stream.length) borders.add(border += stream.readUInt32BE(border));
  for (let end = 0; end <= stream.length; end++) {
    const { frames: given, error } = cut([stream.subarray(0, end)]);
    expect(given).toEqual(frames.slice(0, [...borders].filter((each) => each <= end).length - 1));
    if (borders.has(end)) expect(error).toBeUndefined();
    else expect(error).toMatchObject({ code: "upstream_invalid_response" });
  }
});

test("any flipped bit is found, at the latest when the stream ends", () => {
  for (let at = 0; at < stream.length; at++) {
    const damaged = Uint8Array.from(stream);
    damaged[at]! ^= 1 << (at % 8);
    for (const chunks of [[damaged], [...chunked(damaged, 37)]]) {
      const { frames: given, error } = cut(chunks);
      expect(error, `byte ${at}`).toMatchObject({ code: "upstream_invalid_response" });
      expect(given).toEqual(frames.slice(0, given.length));
    }
  }
});

test("a damaged length is found at once instead of being waited for", () => {
  const framer = createEventStreamFramer();
  const damaged = Uint8Array.from(stream);
  damaged[0] = 0x7f;
  expect(() => framer.push(damaged.subarray(0, 12))).toThrow("damaged");
  expect(() => framer.push(damaged.subarray(12))).toThrow("damaged");
  expect(() => framer.end()).toThrow("damaged");
});

test("an absurd length is refused even when its checksum is right", () => {
  const framer = createEventStreamFramer();
  const head = Buffer.alloc(12);
  head.writeUInt32BE(0xffff_fff0, 0);
  head.writeUInt32BE(crc32(head.subarray(0, 8)), 8);
  expect(() => framer.push(head)).toThrow("damaged");
});

test("bytes of another kind are refused", () => {
  const { error } = cut([Buffer.from("data: {}\n\n<html></html>")]);
  expect(error).toMatchObject({ code: "upstream_invalid_response" });
});

/** CRC-32 as of RFC 1952, bit by bit. */
function crc32(bytes: Uint8Array): number {
  let value = 0xffff_ffff;
  for (const byte of bytes) {
    value ^= byte;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb8_8320 : value >>> 1;
  }
  return (value ^ 0xffff_ffff) >>> 0;
}
