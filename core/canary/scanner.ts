import { Buffer } from "node:buffer";
import { type Canary, type Form, formsOf } from "./forms.ts";
import { unpack } from "./unpack.ts";

/** So many characters of a secret in a row count as the secret: a part is a leak too. */
export const windowCharacters = 12;

/** A place where a secret, or a part of it, was found. */
export interface Hit {
  readonly canary: string;
  /** How it was written down. */
  readonly form: string;
  /** Where the bytes came from; behind each `>` stands what had to be unpacked. */
  readonly place: string;
  readonly offset: number;
  /** How much of the form was there, 0 to 1. */
  readonly share: number;
  /** What stands before it, to find the leak by. */
  readonly before: string;
}

/** Searches bytes that come in pieces. */
export interface Search {
  write(piece: Uint8Array): void;
  /** What was found. Nothing may be written any more. */
  end(): Hit[];
}

/** Searches for secrets. */
export interface Scanner {
  /** Everything found in bytes, in what is compressed among them too. */
  scan(place: string, bytes: Uint8Array | string): Hit[];
  /** The same without unpacking, for what is too long to be held. */
  search(place: string): Search;
}

/** A stretch of a form whose first bytes are looked up. */
interface Window {
  readonly canary: string;
  readonly form: Form;
  readonly offset: number;
  readonly length: number;
}

const tableBits = 22;
const headBytes = 4;
const contextBytes = 80;

/** Throws a RangeError when a canary is too short to be told from chance. */
export function createScanner(canaries: readonly Canary[]): Scanner {
  const windows = new Map<number, Window[]>();
  const table = new Uint8Array(2 ** tableBits);
  let longest = headBytes;
  for (const { name, value } of canaries) {
    if (value.length < windowCharacters) throw new RangeError(`The canary "${name}" is too short`);
    for (const form of formsOf(value)) {
      longest = Math.max(longest, form.bytes.length);
      const length = Math.ceil(form.bytes.length * windowCharacters / value.length);
      for (let offset = 0; offset + length <= form.bytes.length; offset++) {
        const head = form.bytes.readUInt32BE(offset);
        const same = windows.get(head) ?? [];
        windows.set(head, same);
        same.push({ canary: name, form, offset, length });
        table[slotOf(head)] = 1;
      }
    }
  }

  function search(place: string): Search {
    const hits: Hit[] = [];
    /** Where the last find of a form ended: the windows within it are the same find. */
    const foundUntil = new Map<Form, number>();
    let held = Buffer.alloc(0);
    let heldAt = 0;
    let next = 0;

    /** Looks at every place before `end`, an offset in what is held. */
    function look(end: number): void {
      for (let at = next - heldAt; at < end; at++) {
        const head =
          (held[at]! << 24 | held[at + 1]! << 16 | held[at + 2]! << 8 | held[at + 3]!) >>>
          0;
        if (table[slotOf(head)] === 0) continue;
        for (const window of windows.get(head) ?? []) note(window, at);
      }
      next = Math.max(next, heldAt + end);
    }

    function note({ canary, form, offset, length }: Window, at: number): void {
      if (heldAt + at < (foundUntil.get(form) ?? 0)) return;
      let same = 0;
      const most = Math.min(form.bytes.length - offset, held.length - at);
      while (same < most && held[at + same] === form.bytes[offset + same]) same++;
      if (same < length) return;
      foundUntil.set(form, heldAt + at + same);
      hits.push({
        canary,
        form: form.name,
        place,
        offset: heldAt + at,
        share: same / form.bytes.length,
        before: held.toString("latin1", Math.max(0, at - contextBytes), at),
      });
    }

    return {
      write(piece) {
        held = held.length === 0 ? Buffer.from(piece) : Buffer.concat([held, piece]);
        look(held.length - longest);
        const keepFrom = Math.max(0, held.length - longest - contextBytes);
        held = held.subarray(keepFrom);
        heldAt += keepFrom;
      },
      end() {
        look(held.length - headBytes + 1);
        return hits;
      },
    };
  }

  function scan(place: string, content: Uint8Array | string): Hit[] {
    const bytes = Buffer.from(content as Uint8Array);
    const own = search(place);
    own.write(bytes);
    return [
      ...own.end(),
      ...unpack(bytes).flatMap((inner) => scan(`${place} > ${inner.how}`, inner.bytes)),
    ];
  }

  return { scan, search };
}

function slotOf(head: number): number {
  return Math.imul(head, 0x9e3779b1) >>> (32 - tableBits);
}
