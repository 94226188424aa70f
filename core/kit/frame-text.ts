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
  let at = text.indexOf(tail, from);
  while (at >= 0 && at < end) {
    let value = at + tail.length;
    if (text.charCodeAt(at - 1) === QUOTE) {
      while (text.charCodeAt(value) <= SPACE) value++;
      if (text.charCodeAt(value) === COLON) {
        value++;
        while (text.charCodeAt(value) <= SPACE) value++;
        return value;
      }
    }
    at = text.indexOf(tail, value);
  }
  return -1;
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
    let value = findMember(text, tail, from, end);
    while (value >= 0) {
      if (text.charCodeAt(value) === QUOTE) return countString(text, value);
      value = findMember(text, tail, value, end);
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
