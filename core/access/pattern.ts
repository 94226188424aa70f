/**
 * Compiles a pattern anchored at both ends: `*` is any run of characters, `?` exactly one, all else literal.
 * Matching takes time in the product of the lengths at worst, whatever the pattern.
 */
export function compilePattern(pattern: string): (text: string) => boolean {
  if (/^\*+$/.test(pattern)) return () => true;
  if (!/[*?]/.test(pattern)) return (text) => text === pattern;
  const symbols = [...pattern];
  const wild = pattern.includes("?");
  // Only `?` counts characters, and only half of one could match half of another; else code units will do.
  return (text) => matches(symbols, wild || hasSurrogates(pattern) ? [...text] : text);
}

/**
 * Whether every text the narrow pattern matches is matched by the wide one. Answers false when it cannot be
 * shown by laying one pattern over the other; never true when it is not so.
 */
export function covers(wide: string, narrow: string): boolean {
  const outer = [...wide];
  const inner = [...narrow];
  return search(outer.length, inner.length, (i, j, go) => {
    if (i === outer.length) return j === inner.length;
    if (outer[i] === "*") return go(i + 1, j) || (j < inner.length && go(i, j + 1));
    if (j === inner.length || inner[j] === "*") return false;
    return (outer[i] === "?" || outer[i] === inner[j]) && go(i + 1, j + 1);
  });
}

/** Whether some text is matched by both patterns. */
export function overlaps(one: string, other: string): boolean {
  const left = [...one];
  const right = [...other];
  return search(left.length, right.length, (i, j, go) => {
    if (i === left.length && j === right.length) return true;
    if (left[i] === "*") return go(i + 1, j) || (j < right.length && go(i, j + 1));
    if (right[j] === "*") return go(i, j + 1) || (i < left.length && go(i + 1, j));
    if (i === left.length || j === right.length) return false;
    return (left[i] === "?" || right[j] === "?" || left[i] === right[j]) && go(i + 1, j + 1);
  });
}

function matches(pattern: readonly string[], text: string | readonly string[]): boolean {
  let at = 0;
  let symbol = 0;
  let star = -1;
  let resume = 0;
  while (at < text.length) {
    const wanted = pattern[symbol];
    if (wanted === "*") {
      star = symbol++;
      resume = at;
    } else if (wanted !== undefined && (wanted === "?" || wanted === text[at])) {
      symbol++;
      at++;
    } else if (star >= 0) {
      symbol = star + 1;
      at = ++resume;
    } else return false;
  }
  while (pattern[symbol] === "*") symbol++;
  return symbol === pattern.length;
}

function hasSurrogates(text: string): boolean {
  return /[\ud800-\udfff]/.test(text);
}

type Go = (i: number, j: number) => boolean;

/** Depth-first search over pairs of positions; each pair is visited once. */
function search(
  rows: number,
  columns: number,
  visit: (i: number, j: number, go: Go) => boolean,
): boolean {
  const failed = new Uint8Array((rows + 1) * (columns + 1));
  const go: Go = (i, j) => {
    const place = i * (columns + 1) + j;
    if (failed[place]) return false;
    // Marked before the visit: a pair that leads back to itself adds nothing.
    failed[place] = 1;
    return visit(i, j, go);
  };
  return go(0, 0);
}
