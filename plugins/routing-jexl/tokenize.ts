import { unreachableNames } from "@vmx/core/kit";
import { ExpressionFault, quoted } from "./expression-fault.ts";
import { grammar } from "./grammar.ts";
import { createLexer } from "./jexl-parser.ts";

/** A token as jexl's parser takes it, with its place in the text. */
export interface Token {
  readonly type: string;
  readonly value: string | number | boolean;
  readonly raw: string;
  readonly position: number;
}

const maxLength = 4096;
const maxDepth = 32;

/**
 * Cuts an expression into tokens. What jexl's parser would take too long for, or would read as something else
 * than is written, is refused here; the parser must see nothing that has not passed.
 *
 * Throws an `ExpressionFault`.
 */
export function tokenize(text: string): Token[] {
  if (text.length > maxLength) {
    throw new ExpressionFault(
      `the expression has ${text.length} characters; at most ${maxLength} are allowed`,
    );
  }
  const tokens = readTokens(text);
  refuseNesting(tokens);
  tokens.forEach((token, index) => refuse(token, tokens[index - 1], tokens[index + 1]));
  return withTernariesAfterCalls(tokens);
}

function readTokens(text: string): Token[] {
  const elements = createLexer().getElements(text);
  const tokens: Token[] = [];
  let position = 0;
  let minus: number | undefined;
  for (let index = 0; index < elements.length; index++) {
    const raw = elements[index]!;
    const start = position;
    position += raw.length;
    if (/^\s*$/.test(raw)) continue;
    if (raw === "?" && elements[index + 1] === ".") {
      // `a?.b` is `a.b` and `a?.[0]` is `a[0]`; absent members never throw.
      if (elements[index + 2] === "[") position += elements[++index]!.length;
      continue;
    }
    if (raw === "-" && minus === undefined && negates(tokens.at(-1))) {
      minus = start;
      continue;
    }
    const token = createToken(raw, start);
    if (minus === undefined) tokens.push(token);
    else if (typeof token.value === "number") {
      tokens.push({ ...token, value: -token.value, raw: `-${raw}`, position: minus });
    } else throw new ExpressionFault(`unexpected "-"; write "0 - x" for the negative of x`, minus);
    minus = undefined;
  }
  if (minus !== undefined) throw new ExpressionFault(`unexpected "-"`, minus);
  return tokens;
}

const beforeNegative = new Set([
  "binaryOp",
  "unaryOp",
  "openParen",
  "openBracket",
  "comma",
  "question",
  "colon",
]);

function negates(previous: Token | undefined): boolean {
  return previous === undefined || beforeNegative.has(previous.type);
}

const name = /^[\p{L}_$][\p{L}\p{N}_$]*$/u;

function createToken(raw: string, position: number): Token {
  const literal = (value: Token["value"]): Token => ({ type: "literal", value, raw, position });
  if (/^(["']).*\1$/s.test(raw) && raw.length > 1) {
    return literal(raw.slice(1, -1).replace(/\\(["'\\])/g, "$1"));
  }
  if (/^[0-9.]+$/.test(raw) && raw !== ".") {
    const value = Number(raw);
    if (Number.isFinite(value)) return literal(value);
  }
  if (raw === "true" || raw === "false") return literal(raw === "true");
  const element = grammar.elements[raw];
  if (element) return { type: element.type, value: raw, raw, position };
  if (name.test(raw)) return { type: "identifier", value: raw, raw, position };
  throw new ExpressionFault(`unexpected ${quoted(raw)}`, position);
}

const closers: Readonly<Record<string, string>> = {
  openParen: "closeParen",
  openBracket: "closeBracket",
};

/** Each `?` opens a level, too, which only the end of its surroundings closes. */
function refuseNesting(tokens: readonly Token[]): void {
  const opened: { readonly depth: number; readonly token: Token }[] = [];
  let depth = 0;
  for (const token of tokens) {
    const { type, position } = token;
    if (type in closers) opened.push({ depth: depth++, token });
    else if (type === "question") depth++;
    else if (type === "closeParen" || type === "closeBracket") {
      const last = opened.pop();
      if (!last || closers[last.token.type] !== type) {
        throw new ExpressionFault(`unexpected ${quoted(token.raw)}`, position);
      }
      depth = last.depth;
    }
    if (depth > maxDepth) {
      throw new ExpressionFault(`the expression nests deeper than ${maxDepth} levels`, position);
    }
  }
  const open = opened.at(-1)?.token;
  if (open) throw new ExpressionFault(`${quoted(open.raw)} is never closed`, open.position);
}

function refuse(token: Token, previous: Token | undefined, next: Token | undefined): void {
  const { type, position, value } = token;
  if (type === "identifier") {
    refuseName(String(value), position);
    if (previous?.type === "dot" && next?.type === "openParen") {
      throw new ExpressionFault(
        `${quoted(value)} cannot be called on a value; functions stand before it, as in "lower(x)"`,
        position,
      );
    }
  }
  if (type === "literal" && typeof value === "string" && previous?.type === "openBracket") {
    refuseName(value, position);
  }
  const opens = previous?.type === "comma" || previous?.type === "openParen";
  const isGap = type === "comma" && (opens || previous?.type === "openBracket") ||
    previous?.type === "comma" && (type === "closeParen" || type === "closeBracket");
  if (isGap) throw new ExpressionFault(`unexpected ${quoted(token.raw)}`, position);
}

/** Refuses a name that leads out of plain data, also in escapes and in letters that only look alike. */
function refuseName(text: string, position: number): void {
  const plain = text
    .replace(/\\u\{([0-9a-f]{1,6})\}|\\u([0-9a-f]{4})|\\x([0-9a-f]{2})/gi, (whole, ...codes) => {
      const code = Number.parseInt(codes.slice(0, 3).find((each) => each !== undefined), 16);
      return code > 0x10ffff ? whole : String.fromCodePoint(code);
    })
    .normalize("NFKC")
    .trim();
  if (unreachableNames.has(plain)) {
    throw new ExpressionFault(`the name "${plain}" is not allowed`, position);
  }
}

/**
 * jexl's parser takes no `?` straight after a call. An index `[true]`, which selects the value itself, leads it
 * into the state that does.
 */
function withTernariesAfterCalls(tokens: readonly Token[]): Token[] {
  const calls: boolean[] = [];
  const result: Token[] = [];
  tokens.forEach((token, index) => {
    const previous = tokens[index - 1];
    let afterCall = previous?.type === "identifier" && tokens[index - 2]?.type === "pipe";
    if (token.type === "openParen") calls.push(previous?.type === "identifier");
    if (previous?.type === "closeParen") afterCall = calls.pop() ?? false;
    if (token.type === "question" && afterCall) {
      const { position } = token;
      result.push({ type: "openBracket", value: "[", raw: "", position });
      result.push({ type: "literal", value: true, raw: "", position });
      result.push({ type: "closeBracket", value: "]", raw: "", position });
    }
    result.push(token);
  });
  return result;
}
