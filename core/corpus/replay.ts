import type { ServerResponse } from "node:http";
import type { Frame, Framer, JsonObject, Provider } from "../contract/index.ts";
import { createSseReader, writeFrame } from "../kit/index.ts";
import type { Recording } from "./recordings.ts";

/** A recorded answer as the gateway is to get it. */
export interface Replay {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly body: Uint8Array;
  /** How the body is read, without the gateway. */
  readonly framer: () => Framer;
}

const chunkBytes = 1400;
const hopHeaders = new Set(["connection", "keep-alive", "content-type", "upgrade"]);

const types: Readonly<Record<Recording["bodyKind"], string>> = {
  json: "application/json",
  sse: "text/event-stream",
  eventstream: "application/vnd.amazon.eventstream",
  txt: "text/html",
};

/**
 * Readies a recorded answer. Two framings are not those the gateway asks for, and are replayed as the same events in
 * the framing it does ask for: JSON arrays, and events wrapped into the binary frames of an operation no provider uses.
 */
export function createReplay(
  recording: Recording,
  provider: Provider,
  wrapped: boolean,
): Replay {
  const { status, stream, body, bodyKind } = recording;
  const kept = Object.entries(recording.headers).filter(([name]) => !hopHeaders.has(name));
  const own = recording.headers["content-type"];
  const plain = (type: string | string[], bytes: Uint8Array, framer: () => Framer): Replay => ({
    status,
    headers: { ...Object.fromEntries(kept), "content-type": type },
    body: bytes,
    framer,
  });
  if (bodyKind === "json" && stream && status < 400) {
    const events = JSON.parse(body.toString()) as readonly JsonObject[];
    const text = events.map((event) => writeFrame({ data: JSON.stringify(event) })).join("");
    return plain(types.sse, Buffer.from(text), createSseReader);
  }
  if (bodyKind === "eventstream" && wrapped) {
    const framer = provider.framer!();
    const frames = [...framer.push(body), ...framer.end()].map(unwrap);
    return plain(types.sse, Buffer.from(frames.map(writeFrame).join("")), createSseReader);
  }
  if (bodyKind === "eventstream") return plain(types[bodyKind], body, () => provider.framer!());
  return plain(own ?? types[bodyKind], body, createSseReader);
}

/** Sends a replay in pieces smaller than most frames. */
export function sendReplay(replay: Replay, response: ServerResponse): void {
  response.writeHead(replay.status, replay.headers);
  for (let at = 0; at < replay.body.length; at += chunkBytes) {
    response.write(replay.body.subarray(at, at + chunkBytes));
  }
  response.end();
}

/** All frames of a replayed stream. Throws what the framer throws. */
export function framesOf({ framer, body }: Replay): Frame[] {
  const reader = framer();
  return [...reader.push(body), ...reader.end()];
}

function unwrap({ data }: Frame): Frame {
  const { bytes } = JSON.parse(data) as { readonly bytes: string };
  const text = Buffer.from(bytes, "base64").toString();
  const { type } = JSON.parse(text) as { readonly type: string };
  return { event: type, data: text };
}
