import { Buffer } from "node:buffer";

/** A secret that exists only to be searched for. */
export interface Canary {
  /** What it stands for, such as "database password". */
  readonly name: string;
  /** A random text, or bytes, at least `windowCharacters` long, without any part that may be shown. */
  readonly value: string | Uint8Array;
}

/** A secret as it looks after one way of writing it down. */
export interface Form {
  readonly name: string;
  readonly bytes: Buffer;
}

/** Every way of writing a secret down that is searched for; ways that lead to the same bytes are told once. */
export function formsOf(value: Canary["value"]): Form[] {
  const raw = Buffer.from(value as Uint8Array);
  const forms = [...byteForms(raw), ...(typeof value === "string" ? textForms(value) : [])];
  const seen = new Set<string>();
  return forms.filter(({ bytes }) => {
    const key = bytes.toString("latin1");
    return seen.has(key) ? false : seen.add(key);
  });
}

function byteForms(raw: Buffer): Form[] {
  const bytes = [...raw].map((byte) => byte.toString(16).padStart(2, "0"));
  const forms = [
    { name: "raw", bytes: raw },
    { name: "reversed", bytes: Buffer.from(raw.toReversed()) },
    asForm("hex", bytes.join("")),
    asForm("hex, upper case", bytes.join("").toUpperCase()),
    asForm("URL, every byte", bytes.map((byte) => `%${byte}`).join("")),
    asForm("URL, every byte, upper case", bytes.map((byte) => `%${byte.toUpperCase()}`).join("")),
  ];
  for (const shift of [0, 1, 2]) {
    const text = base64Within(raw, shift);
    const where = shift === 0 ? "" : `, ${shift} bytes in`;
    const safe = text.replaceAll("+", "-").replaceAll("/", "_");
    forms.push(asForm(`base64${where}`, text), asForm(`base64url${where}`, safe));
  }
  return forms;
}

function textForms(value: string): Form[] {
  const json = JSON.stringify(value).slice(1, -1);
  const percent = encodeURIComponent(value);
  const units = Array.from({ length: value.length }, (_, at) => hex4(value.charCodeAt(at)));
  return [
    asForm("URL", percent),
    asForm("URL, lower case", percent.replace(/%[0-9A-F]{2}/g, (one) => one.toLowerCase())),
    asForm("URL form", new URLSearchParams([["", value]]).toString().slice(1)),
    asForm("JSON", json),
    asForm("JSON, slashes escaped", json.replaceAll("/", "\\/")),
    asForm("JSON in JSON", JSON.stringify(json).slice(1, -1)),
    asForm(
      "JSON, plain ASCII",
      json.replace(/[^\x20-\x7e]/g, (one) => `\\u${hex4(one.charCodeAt(0))}`),
    ),
    asForm("JSON, \\u for all", units.map((unit) => `\\u${unit}`).join("")),
    asForm(
      "JSON, \\u for all, upper case",
      units.map((unit) => `\\u${unit.toUpperCase()}`).join(""),
    ),
    { name: "UTF-16", bytes: Buffer.from(value, "utf16le") },
    { name: "reversed, by characters", bytes: Buffer.from([...value].reverse().join("")) },
  ];
}

function asForm(name: string, text: string): Form {
  return { name, bytes: Buffer.from(text) };
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
