import { Buffer } from "node:buffer";

/** A secret that exists only to be searched for. */
export interface Canary {
  /** What it stands for, such as "database password". */
  readonly name: string;
  /** Random, at least `windowCharacters` long, without any part that may be shown. */
  readonly value: string;
}

/** A secret as it looks after one way of writing it down. */
export interface Form {
  readonly name: string;
  readonly bytes: Buffer;
}

/** Every way of writing a secret down that is searched for; ways that lead to the same bytes are told once. */
export function formsOf(value: string): Form[] {
  const raw = Buffer.from(value);
  const json = JSON.stringify(value).slice(1, -1);
  const percent = encodeURIComponent(value);
  const units = [...value].flatMap((character) =>
    Array.from({ length: character.length }, (_, at) => hex4(character.charCodeAt(at)))
  );
  const bytes = [...raw].map((byte) => byte.toString(16).padStart(2, "0"));
  const texts: [string, string][] = [
    ["raw", value],
    ["reversed", [...value].reverse().join("")],
    ["hex", bytes.join("")],
    ["hex, upper case", bytes.join("").toUpperCase()],
    ["URL", percent],
    ["URL, lower case", percent.replace(/%[0-9A-F]{2}/g, (escape) => escape.toLowerCase())],
    ["URL form", new URLSearchParams([["", value]]).toString().slice(1)],
    ["URL, every byte", bytes.map((byte) => `%${byte}`).join("")],
    ["URL, every byte, upper case", bytes.map((byte) => `%${byte.toUpperCase()}`).join("")],
    ["JSON", json],
    ["JSON, slashes escaped", json.replaceAll("/", "\\/")],
    ["JSON in JSON", JSON.stringify(json).slice(1, -1)],
    ["JSON, plain ASCII", json.replace(/[^\x20-\x7e]/g, (one) => `\\u${hex4(one.charCodeAt(0))}`)],
    ["JSON, \\u for all", units.map((unit) => `\\u${unit}`).join("")],
    ["JSON, \\u for all, upper case", units.map((unit) => `\\u${unit.toUpperCase()}`).join("")],
    ["UTF-16", ""],
  ];
  const forms: Form[] = texts.map(([name, text]) => ({
    name,
    bytes: name === "UTF-16" ? Buffer.from(value, "utf16le") : Buffer.from(text),
  }));
  for (const shift of [0, 1, 2]) {
    const text = base64Within(raw, shift);
    const where = shift === 0 ? "" : `, ${shift} bytes in`;
    forms.push({ name: `base64${where}`, bytes: Buffer.from(text) });
    const safe = text.replaceAll("+", "-").replaceAll("/", "_");
    forms.push({ name: `base64url${where}`, bytes: Buffer.from(safe) });
  }
  const seen = new Set<string>();
  return forms.filter(({ bytes }) => {
    const key = bytes.toString("latin1");
    return seen.has(key) ? false : seen.add(key);
  });
}

/** The characters of base64 that depend on the secret alone when `shift` other bytes precede it. */
function base64Within(raw: Buffer, shift: number): string {
  const text = Buffer.concat([Buffer.alloc(shift), raw]).toString("base64");
  const first = Math.ceil(shift * 8 / 6);
  return text.slice(first, Math.floor((shift + raw.length) * 8 / 6));
}

function hex4(unit: number): string {
  return unit.toString(16).padStart(4, "0");
}
