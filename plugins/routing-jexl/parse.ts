import { ExpressionFault, quoted } from "./expression-fault.ts";
import { createParser } from "./jexl-parser.ts";
import { type Token, tokenize } from "./tokenize.ts";

/** A tree as jexl's parser makes it. Nothing in it is trusted before `check` has seen it. */
export interface ParsedNode {
  readonly type?: unknown;
  readonly [member: string]: unknown;
}

/** A tree with the places of its names, in the order of the text. */
export interface Parsed {
  readonly tree: ParsedNode;
  readonly namePositions: readonly number[];
}

/** Parses an expression. Throws an `ExpressionFault`. */
export function parse(text: string): Parsed {
  const tokens = tokenize(text);
  const parser = createParser();
  for (const token of tokens) {
    guarded(() => parser.addToken(token), `unexpected ${quoted(token.raw)}`, token.position);
  }
  const tree = guarded(() => parser.complete(), "unexpected end", text.length);
  if (typeof tree !== "object" || tree === null) {
    if (tokens.length === 0) throw new ExpressionFault("the expression is empty");
    throw new ExpressionFault("unexpected end", text.length);
  }
  return { tree: tree as ParsedNode, namePositions: namesOf(tokens) };
}

/** jexl's own messages repeat the whole expression; ours name the place. */
function guarded<Result>(run: () => Result, reason: string, position: number): Result {
  try {
    return run();
  } catch {
    throw new ExpressionFault(reason, position);
  }
}

function namesOf(tokens: readonly Token[]): number[] {
  return tokens.filter(({ type }) => type === "identifier").map(({ position }) => position);
}
