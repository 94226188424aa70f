const SPACE = 32;
const QUOTE = 34;
const COLON = 58;
const BACKSLASH = 92;

/**
 * Finds where the value of a JSON member begins, by the text alone; -1 when there is none before `end`. Inside JSON
 * strings quotes are escaped, so a bare `"name"` is a member's name or a whole string; the colon tells.
 *
 * @param tail the name and its closing quote, such as `usage"`: quotes are everywhere, letters are not, so the
 * search is several times faster without the opening one
 */
export function findMember(text: string, tail: string, from: number, end: number): number {
  return createMemberSearch().find(text, tail, from, end);
}

/** Finds members in one frame after the other of the same text. */
export interface MemberSearch {
  /** See `findMember`. */
  find(text: string, tail: string, from: number, end: number): number;
}

/**
 * Creates a search that remembers where each name occurs next, so that a chunk of many frames is searched once and
 * not once per frame.
 */
export function createMemberSearch(): MemberSearch {
  let searched = "";
  const next = new Map<string, { readonly from: number; readonly place: number }>();
  const occurrence = (text: string, tail: string, from: number): number => {
    const known = next.get(tail);
    // A frame may be searched twice for one name, so the next search can begin before the last one.
    if (known !== undefined && known.from <= from && known.place >= from) return known.place;
    const at = text.indexOf(tail, from);
    const place = at < 0 ? Number.POSITIVE_INFINITY : at;
    next.set(tail, { from, place });
    return place;
  };
  return {
    find(text, tail, from, end) {
      if (text !== searched) {
        searched = text;
        next.clear();
      }
      let at = occurrence(text, tail, from);
      while (at < end) {
        const value = valueBehind(text, tail, at);
        if (value >= 0) return value;
        at = occurrence(text, tail, at + tail.length);
      }
      return -1;
    },
  };
}

/** Where the value begins when the name at `at` is a member's; else -1. */
function valueBehind(text: string, tail: string, at: number): number {
  if (text.charCodeAt(at - 1) !== QUOTE) return -1;
  let value = at + tail.length;
  while (text.charCodeAt(value) <= SPACE) value++;
  if (text.charCodeAt(value) !== COLON) return -1;
  value++;
  while (text.charCodeAt(value) <= SPACE) value++;
  return value;
}

/** Adds up the delivered text of frames without parsing them. */
export interface FrameTextCounter {
  /** Counts the frame that lies in `text` between `from` and `end`; answers whether it held text. */
  count(text: string, from: number, end: number): boolean;
  /** Estimated tokens of all that was counted: a quarter per ASCII character, one per other code point. */
  tokens(): number;
}

/**
 * Creates a counter over frames read as Latin-1, one character per byte. A stream keeps to one member for long
 * stretches, so the member that was found last is looked for first.
 *
 * @param members names, each with its closing quote, of the strings that carry what the caller is shown
 */
export function createFrameTextCounter(members: readonly string[]): FrameTextCounter {
  const search = createMemberSearch();
  let last = members[0]!;
  let ascii = 0;
  let others = 0;

  const countString = (text: string, quote: number): boolean => {
    let at = quote + 1;
    for (; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code === QUOTE) break;
      if (code === BACKSLASH) {
        at++;
        // An escaped code point, of which four hexadecimal digits follow.
        if (text.charCodeAt(at) === 117) {
          at += 4;
          others++;
        } else ascii++;
      } else if (code < 128) ascii++;
      else if (code >= 192) others++;
    }
    return at > quote + 1;
  };

  const countMember = (text: string, tail: string, from: number, end: number): boolean => {
    let value = search.find(text, tail, from, end);
    while (value >= 0) {
      if (text.charCodeAt(value) === QUOTE) return countString(text, value);
      value = search.find(text, tail, value, end);
    }
    return false;
  };

  return {
    count(text, from, end) {
      if (countMember(text, last, from, end)) return true;
      for (const tail of members) {
        if (tail !== last && countMember(text, tail, from, end)) {
          last = tail;
          return true;
        }
      }
      return false;
    },
    tokens: () => Math.ceil(ascii / 4 + others),
  };
}
