import { deepEqual, equal, ok } from "node:assert/strict";
import type { Dialect, Tap } from "../contract/dialect.ts";
import type { Case } from "./case.ts";
import type { StreamExample } from "./dialects.ts";

/** Streams up to this size are also cut in two at every byte. */
const everyOffsetBytes = 4096;

/** What every inbound dialect's tap must do with a stream. */
export function tapCases(create: () => Dialect, example: StreamExample): readonly Case[] {
  const reason = "the dialect is outbound only";
  const outbound = create().inbound ? {} : { skip: reason };
  const bytes = encode(example.text);
  const frames = example.text.split(/(?<=\n\n)/).filter((frame) => frame !== "");
  const tap = (): Tap => create().inbound!.tap({ keepUsage: true });
  const variants: readonly (readonly [string, Uint8Array])[] = [
    ["as it is", bytes],
    ["with CRLF line ends", encode(example.text.replaceAll("\n", "\r\n"))],
    ["with CR line ends", encode(example.text.replaceAll("\n", "\r"))],
    ["with a byte order mark", concat([Uint8Array.of(0xef, 0xbb, 0xbf), bytes])],
    ["with comments between frames", encode(frames.join(": keep-alive\n\n"))],
    ["without the last blank line", encode(example.text.trimEnd())],
  ];
  return [
    ...variants.map(([form, stream]): Case => ({
      ...outbound,
      name: `stream "${example.name}" ${form} passes the tap byte-equal however it is chunked`,
      run() {
        const whole = relay(tap(), [stream]);
        ok(equalBytes(whole.bytes, stream), "the bytes differ");
        equal(whole.facts.complete, true);
        for (const size of [1, 7, 37]) same(relay(tap(), chunks(stream, size)), whole, size);
        if (stream.length > everyOffsetBytes) return;
        for (let at = 1; at < stream.length; at++) {
          same(relay(tap(), [stream.subarray(0, at), stream.subarray(at)]), whole, at);
        }
      },
    })),
    {
      ...outbound,
      name: `stream "${example.name}" passes byte-equal with invalid UTF-8 in it`,
      run() {
        const torn = Uint8Array.from(bytes);
        const at = torn.lastIndexOf(0x61, torn.length >> 1);
        if (at > 0) torn[at] = 0xff;
        ok(equalBytes(relay(tap(), chunks(torn, 37)).bytes, torn));
      },
    },
    {
      ...outbound,
      name: `stream "${example.name}" is told to be incomplete when it is cut off`,
      run() {
        const whole = example.wholeAfter ?? frames.length;
        for (let kept = 0; kept <= frames.length; kept++) {
          const stream = encode(frames.slice(0, kept).join(""));
          const { facts, bytes: relayed } = relay(tap(), [stream]);
          equal(facts.complete, kept >= whole, `after ${kept} frames`);
          ok(equalBytes(relayed, stream), `after ${kept} frames`);
        }
      },
    },
    {
      ...outbound,
      name: `stream "${example.name}" loses no more than a fragment that was cut off`,
      run() {
        const borders = new Set<number>([0]);
        let border = 0;
        for (const frame of frames) borders.add(border += encode(frame).length);
        for (let cut = 1; cut < Math.min(bytes.length, everyOffsetBytes); cut++) {
          const { bytes: relayed } = relay(tap(), [bytes.subarray(0, cut)]);
          ok(equalBytes(relayed, bytes.subarray(0, relayed.length)), `cut at ${cut}`);
          const lost = bytes.subarray(relayed.length, cut);
          ok(
            lost.length === 0 || borders.has(relayed.length),
            `a piece of a frame was sent when cut at ${cut}`,
          );
        }
      },
    },
    {
      ...outbound,
      name: `stream "${example.name}" tells what its plain form tells`,
      run() {
        const { facts } = relay(tap(), [bytes]);
        const plain = create().readAnswer(example.plain, "chat");
        deepEqual(
          [facts.id, facts.model, facts.tokens, facts.finish],
          [plain.id, plain.model, plain.tokens, plain.finish],
        );
      },
    },
  ];
}

interface Relayed {
  readonly bytes: Uint8Array;
  readonly facts: ReturnType<Tap["facts"]>;
  readonly content: boolean;
}

function relay(tap: Tap, stream: readonly Uint8Array[]): Relayed {
  const out: Uint8Array[] = [];
  let content = false;
  const take = (result: ReturnType<Tap["push"]>): void => {
    out.push(result.forward);
    if (result.endMarker) out.push(result.endMarker);
    content = result.content;
  };
  // Each chunk is a buffer of its own, as from a socket.
  for (const chunk of stream) take(tap.push(Uint8Array.from(chunk)));
  take(tap.end());
  return { bytes: concat(out), facts: tap.facts(), content };
}

function same(actual: Relayed, expected: Relayed, at: number): void {
  ok(equalBytes(actual.bytes, expected.bytes), `chunked at ${at}`);
  deepEqual(actual.facts, expected.facts, `chunked at ${at}`);
  equal(actual.content, expected.content, `chunked at ${at}`);
}

function chunks(bytes: Uint8Array, size: number): Uint8Array[] {
  const out: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += size) out.push(bytes.subarray(at, at + size));
  return out;
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(parts);
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
