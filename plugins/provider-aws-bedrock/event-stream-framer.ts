import type { Frame, Framer } from "@vmx/core/contract";
import { GatewayError } from "@vmx/core/contract";
import { Crc32 } from "@smithy/core/checksum";
import { EventStreamCodec } from "@smithy/core/event-streams";
import type { Message, MessageHeaders } from "@smithy/types";

/** Bytes a message begins with: its length, that of its headers, and the checksum of both. */
const preludeBytes = 12;

/** Bytes of an empty message, and of the largest one that is accepted (the format allows 16 MiB of payload). */
const minMessageBytes = 16;
const maxMessageBytes = 17 * 1024 * 1024;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * Cuts the messages out of an AWS event stream, however it is chunked, and checks both checksums of each. Events and
 * exceptions become frames under their own name, faults of the stream itself under `error`. Frames before a damaged
 * one are still given; what follows throws `upstream_invalid_response`.
 */
export function createEventStreamFramer(): Framer {
  const codec = new EventStreamCodec(
    (bytes) => typeof bytes === "string" ? bytes : decoder.decode(bytes),
    (text) => encoder.encode(text),
  );
  let held: Uint8Array = new Uint8Array(0);
  let failure: GatewayError | undefined;

  const take = (chunk: Uint8Array): Frame[] => {
    const frames: Frame[] = [];
    const bytes = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
    let at = 0;
    while (bytes.length - at >= preludeBytes) {
      const length = messageLength(bytes, at);
      if (length === undefined) return fail(frames, "a message begins with damaged bytes");
      if (bytes.length - at < length) break;
      let message: Message;
      try {
        message = codec.decode(bytes.subarray(at, at + length));
      } catch (error) {
        return fail(frames, "a message is damaged", error);
      }
      frames.push(frameOf(message));
      at += length;
    }
    held = bytes.subarray(at);
    return frames;
  };

  const fail = (frames: Frame[], reason: string, cause?: unknown): Frame[] => {
    failure = new GatewayError(
      "upstream_invalid_response",
      `Cannot read the provider's event stream: ${reason}`,
      { cause },
    );
    held = new Uint8Array(0);
    if (frames.length === 0) throw failure;
    return frames;
  };

  return {
    push(chunk) {
      if (failure) throw failure;
      return take(chunk);
    },
    end() {
      if (failure) throw failure;
      if (held.length > 0) {
        return fail([], `it ended inside a message of which ${held.length} bytes came`);
      }
      return [];
    },
  };
}

/** The length a prelude names; undefined when it is damaged, which must not be taken for a long wait. */
function messageLength(bytes: Uint8Array, at: number): number | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, preludeBytes);
  const length = view.getUint32(0);
  const checksum = new Crc32();
  checksum.update(bytes.subarray(at, at + 8));
  if (checksum.digestSync() !== view.getUint32(8)) return undefined;
  return length < minMessageBytes || length > maxMessageBytes ? undefined : length;
}

function frameOf({ headers, body }: Message): Frame {
  const data = decoder.decode(body);
  const event = textHeader(headers, ":event-type") ?? textHeader(headers, ":exception-type");
  if (textHeader(headers, ":message-type") !== "error" && event !== undefined) {
    return { event, data };
  }
  const code = textHeader(headers, ":error-code") ?? "InternalFailure";
  const message = textHeader(headers, ":error-message") ?? "The stream failed";
  return { event: "error", data: JSON.stringify({ code, message }) };
}

function textHeader(headers: MessageHeaders, name: string): string | undefined {
  const value = headers[name]?.value;
  return typeof value === "string" ? value : undefined;
}
