import { GatewayError } from "../contract/errors.ts";
import { forbiddenNames } from "../kit/json-text.ts";

const maxDepth = 64;
const maxKeys = 20_000;

/**
 * Reads a JSON body from strangers. Refused are: bytes that are not UTF-8, a byte order mark, more than 64 levels
 * or 20 000 keys, a member that stands twice, names that could reach a prototype, NUL characters and lone
 * surrogates (the database cannot keep them).
 *
 * Throws `VALIDATION_FAILED`.
 */
export function parseJsonBody(bytes: Uint8Array): unknown {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    refuse("", "it is not UTF-8");
  }
  checkStructure(text);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    refuse("", "it is not valid JSON");
  }
  checkTexts(value, "");
  return value;
}

/** Counts levels and keys before anything is built, and finds members that stand twice. */
function checkStructure(text: string): void {
  const open: (Set<string> | undefined)[] = [];
  let keys = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === "{" || character === "[") {
      if (open.push(character === "{" ? new Set() : undefined) > maxDepth) {
        refuse("", `it is nested more than ${maxDepth} levels deep`);
      }
    } else if (character === "}" || character === "]") open.pop();
    else if (character === '"') {
      const end = stringEnd(text, at);
      const names = open.at(-1);
      if (names && isKey(text, end)) {
        if (++keys > maxKeys) refuse("", `it has more than ${maxKeys} keys`);
        const name = unescape(text.slice(at, end));
        if (names.has(name)) refuse("", `the member ${JSON.stringify(name)} stands twice`);
        names.add(name);
      }
      at = end - 1;
    }
  }
}

function stringEnd(text: string, from: number): number {
  let at = from + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
  return at + 1;
}

function isKey(text: string, from: number): boolean {
  let at = from;
  while (at < text.length && " \t\r\n".includes(text[at]!)) at++;
  return text[at] === ":";
}

function unescape(literal: string): string {
  if (!literal.includes("\\")) return literal.slice(1, -1);
  try {
    return JSON.parse(literal) as string;
  } catch {
    // The parser will refuse the whole body.
    return literal;
  }
}

function checkTexts(value: unknown, path: string): void {
  if (typeof value === "string") checkText(value, path);
  else if (Array.isArray(value)) {
    value.forEach((item, index) => checkTexts(item, `${path}/${index}`));
  } else if (typeof value === "object" && value !== null) {
    for (const [name, member] of Object.entries(value)) {
      const below = `${path}/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`;
      if (forbiddenNames.has(name)) refuse(below, "the name is not allowed");
      checkText(name, path);
      checkTexts(member, below);
    }
  }
}

function checkText(text: string, path: string): void {
  if (text.includes("\0")) refuse(path, "texts must not hold NUL characters");
  if (!text.isWellFormed()) refuse(path, "texts must not hold half a surrogate pair");
}

function refuse(path: string, reason: string): never {
  throw new GatewayError("VALIDATION_FAILED", `Cannot read the body: ${reason}`, {
    faults: [{ path: path.toWellFormed(), code: "json", message: reason }],
  });
}
