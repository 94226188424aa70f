import type { Frame } from "../contract/dialect.ts";

const LF = 10;
const CR = 13;
const decoder = new TextDecoder();
const none = new Uint8Array(0);

/** Whole frames cut out of a byte stream. */
export interface FrameCut {
  /** The bytes of all frames that are complete now, contiguous and as they came. */
  readonly bytes: Uint8Array;
  /** Where each frame ends in `bytes`, its blank line included. */
  readonly ends: readonly number[];
  /** True when `bytes` ends inside a frame that outgrew the bound. */
  readonly oversize: boolean;
}

/** Cuts a stream of server-sent events at its frame borders without changing a byte. */
export interface FrameSplitter {
  push(chunk: Uint8Array): FrameCut;
  /** What is left without a blank line once the stream has ended; may be empty. */
  end(): Uint8Array;
}

/**
 * Cuts at blank lines, whichever of LF, CRLF and CR ends them and wherever the chunks are torn.
 *
 * @param maxHeldBytes an unfinished frame above this size is handed on as it comes
 */
export function createFrameSplitter(maxHeldBytes = 1024 * 1024): FrameSplitter {
  let held: Uint8Array[] = [];
  let heldBytes = 0;
  let lineEmpty = true;
  let afterCarriageReturn = false;
  let borderPending = false;
  let sawCrLf = false;
  let oversize = false;

  /** The same for a chunk without any CR, which lets the search jump from line to line. */
  const bordersOfLines = (chunk: Buffer): number[] => {
    const found: number[] = [];
    let at = 0;
    for (let end = chunk.indexOf(LF); end >= 0; end = chunk.indexOf(LF, at)) {
      if (lineEmpty && end === at) found.push(end + 1);
      lineEmpty = true;
      at = end + 1;
    }
    if (at < chunk.length) lineEmpty = false;
    return found;
  };

  /** Offsets in `chunk` behind which a frame ends. */
  const borders = (chunk: Uint8Array): number[] => {
    if (!afterCarriageReturn) {
      const view = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
      if (view.indexOf(CR) < 0) return bordersOfLines(view);
    }
    const found: number[] = [];
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at];
      if (afterCarriageReturn) {
        afterCarriageReturn = false;
        if (byte === LF) {
          sawCrLf = true;
          if (borderPending) found.push(at + 1);
          borderPending = false;
          continue;
        }
        if (borderPending) found.push(at);
        borderPending = false;
      }
      if (byte === LF) {
        if (lineEmpty) found.push(at + 1);
        lineEmpty = true;
      } else if (byte === CR) {
        afterCarriageReturn = true;
        // In a stream of CRLF lines the LF is on its way; in one of bare CR it never comes.
        if (lineEmpty && sawCrLf) borderPending = true;
        else if (lineEmpty) found.push(at + 1);
        lineEmpty = true;
      } else {
        lineEmpty = false;
      }
    }
    return found;
  };

  return {
    push(chunk) {
      const found = borders(chunk);
      const last = found.at(-1);
      if (last === undefined) {
        if (oversize) return { bytes: chunk, ends: [], oversize };
        held.push(chunk);
        heldBytes += chunk.length;
        if (heldBytes <= maxHeldBytes) return { bytes: none, ends: [], oversize };
        oversize = true;
        const bytes = join(held);
        held = [];
        heldBytes = 0;
        return { bytes, ends: [], oversize };
      }
      const before = heldBytes;
      const whole = last === chunk.length ? chunk : chunk.subarray(0, last);
      const bytes = before === 0 ? whole : join([...held, whole]);
      held = last === chunk.length ? [] : [chunk.subarray(last)];
      heldBytes = chunk.length - last;
      oversize = false;
      return { bytes, ends: before === 0 ? found : found.map((end) => end + before), oversize };
    },
    end() {
      const rest = join(held);
      held = [];
      heldBytes = 0;
      return rest;
    },
  };
}

/**
 * Reads one frame's bytes; undefined when it holds no data (comments, `retry`, stray blank lines).
 * Lines, fields and the byte order mark are treated as the HTML standard's event stream interpretation says.
 */
export function parseFrame(bytes: Uint8Array): Frame | undefined {
  const text = decoder.decode(bytes);
  // Nearly every frame is one line of data.
  if (text.startsWith("data: ") && text.indexOf("\n") === text.length - 2 && !text.includes("\r")) {
    return { data: text.slice(6, -2) };
  }
  let event: string | undefined;
  let data: string | undefined;
  for (const line of text.split(/\r\n|\n|\r/)) {
    if (line === "" || line.charCodeAt(0) === 58) continue;
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    let value = colon < 0 ? "" : line.slice(colon + 1);
    if (value.charCodeAt(0) === 32) value = value.slice(1);
    if (field === "data") data = data === undefined ? value : `${data}\n${value}`;
    else if (field === "event") event = value;
  }
  if (data === undefined) return undefined;
  return event === undefined ? { data } : { event, data };
}

/** Reads frames from a byte stream however it is chunked. */
export interface SseReader {
  push(chunk: Uint8Array): Frame[];
  /** A final frame without a blank line is still answered. */
  end(): Frame[];
}

/** Creates a reader of server-sent events. */
export function createSseReader(): SseReader {
  const splitter = createFrameSplitter(Number.POSITIVE_INFINITY);
  return {
    push(chunk) {
      const { bytes, ends } = splitter.push(chunk);
      const frames: Frame[] = [];
      let from = 0;
      for (const end of ends) {
        const frame = parseFrame(bytes.subarray(from, end));
        if (frame) frames.push(frame);
        from = end;
      }
      return frames;
    },
    end() {
      const frame = parseFrame(splitter.end());
      return frame ? [frame] : [];
    },
  };
}

/** Writes one frame. Line breaks inside `data` become further data lines; an event name must hold none. */
export function writeFrame(frame: Frame): string {
  const name = frame.event === undefined ? "" : `event: ${frame.event.replace(/[\r\n\0]/g, "")}\n`;
  const data = /[\r\n]/.test(frame.data)
    ? frame.data.split(/\r\n|\n|\r/).join("\ndata: ")
    : frame.data;
  return `${name}data: ${data}\n\n`;
}

function join(chunks: readonly Uint8Array[]): Uint8Array {
  if (chunks.length === 1) return chunks[0]!;
  let size = 0;
  for (const chunk of chunks) size += chunk.length;
  const whole = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}
