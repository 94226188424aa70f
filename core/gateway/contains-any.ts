const fewValues = 8;
const endLength = 4;
const tableBits = 16;

/**
 * Prepares the question whether a text contains one of many values. Its time depends on the text's length, hardly on
 * how many values there are.
 */
export function containsAny(values: readonly string[]): (text: string) => boolean {
  const shortest = values.reduce((least, { length }) => Math.min(least, length), Infinity);
  if (values.length <= fewValues || shortest < endLength) {
    return (text) => values.some((value) => text.includes(value));
  }
  // Known by their last characters: many credentials begin alike.
  const table = new Uint8Array(2 ** tableBits);
  const byEnd = new Map<number, string[]>();
  for (const value of values) {
    const end = endOf(value, value.length - 1);
    table[end] = 1;
    byEnd.set(end, [...byEnd.get(end) ?? [], value]);
  }
  return (text) => {
    for (let at = shortest - 1; at < text.length; at++) {
      const end = endOf(text, at);
      if (table[end] === 0) continue;
      for (const value of byEnd.get(end)!) {
        if (text.startsWith(value, at + 1 - value.length) && at + 1 >= value.length) return true;
      }
    }
    return false;
  };
}

/** A number made of the four characters that end at an index. */
function endOf(text: string, at: number): number {
  const high = text.charCodeAt(at) * 31 + text.charCodeAt(at - 1);
  const low = text.charCodeAt(at - 2) * 31 + text.charCodeAt(at - 3);
  return (Math.imul(high, 0x9e37) ^ Math.imul(low, 0x85eb)) & (2 ** tableBits - 1);
}
