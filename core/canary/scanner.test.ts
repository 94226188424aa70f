import { Buffer } from "node:buffer";
import { createHash, randomBytes } from "node:crypto";
import { deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { expect, test } from "vitest";
import { createScanner } from "./scanner.ts";

const plain = randomBytes(30).toString("base64url");
const awkward = `${randomBytes(12).toString("hex")} "\\/+é€😀&=%${randomBytes(9).toString("hex")}`;
const canaries = [{ name: "plain", value: plain }, { name: "awkward", value: awkward }];
const scanner = createScanner(canaries);
const noise = () => randomBytes(5_000);
const names = (bytes: Uint8Array | string) => [
  ...new Set(scanner.scan("here", bytes).map(({ canary }) => canary)),
];

const percent = (text: string) =>
  [...Buffer.from(text)].map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join("");
const escaped = (text: string) =>
  Array.from(
    { length: text.length },
    (_, at) => `\\u${text.charCodeAt(at).toString(16).padStart(4, "0")}`,
  ).join("");
const base64 = (text: string, ahead: string) => Buffer.from(`${ahead}${text}: and`);

const writings: [string, (secret: string) => string | Uint8Array][] = [
  ["as it is", (secret) => secret],
  ["in base64 as a whole", (secret) => Buffer.from(secret).toString("base64")],
  ["in base64, one byte in", (secret) => base64(secret, "a").toString("base64")],
  ["in base64, two bytes in", (secret) => base64(secret, "ab").toString("base64")],
  ["in base64, behind a user name", (secret) => base64(secret, "user:").toString("base64")],
  ["in base64url as a whole", (secret) => Buffer.from(secret).toString("base64url")],
  ["in base64url, one byte in", (secret) => base64(secret, "a").toString("base64url")],
  ["in base64url, two bytes in", (secret) => base64(secret, "ab").toString("base64url")],
  ["in hex", (secret) => Buffer.from(secret).toString("hex")],
  ["in upper-case hex", (secret) => Buffer.from(secret).toString("hex").toUpperCase()],
  ["URL-encoded", encodeURIComponent],
  ["URL-encoded byte by byte", percent],
  ["URL-encoded byte by byte, upper case", (secret) =>
    percent(secret).toUpperCase()
      .replaceAll("%", "%")],
  ["in a submitted form", (secret) => new URLSearchParams({ field: secret }).toString()],
  ["as a JSON text", (secret) => JSON.stringify({ field: secret })],
  ["as JSON within JSON", (secret) => JSON.stringify(JSON.stringify({ field: secret }))],
  ["as JSON of \\u escapes", (secret) => `{"field":"${escaped(secret)}"}`],
  ["backwards", (secret) => [...secret].reverse().join("")],
  ["in UTF-16", (secret) => Buffer.from(secret, "utf16le")],
];

test.each(writings)("finds a secret %s", (_, write) => {
  for (const { name, value } of canaries) {
    const bytes = Buffer.concat([noise(), Buffer.from(write(value) as Uint8Array), noise()]);
    const hits = scanner.scan("here", bytes);
    expect(hits.map(({ canary }) => canary), name).toContain(name);
    expect(Math.max(...hits.map(({ share }) => share))).toBeGreaterThan(0.9);
  }
});

test.each(writings)("finds a secret %s wherever the pieces end", (_, write) => {
  const bytes = Buffer.from(write(plain) as Uint8Array);
  const text = Buffer.concat([Buffer.from("before "), bytes, Buffer.from(" after")]);
  const [whole] = scanner.scan("whole", text);
  for (let cut = 1; cut < text.length; cut++) {
    const search = scanner.search("pieces");
    search.write(text.subarray(0, cut));
    search.write(text.subarray(cut));
    expect(search.end()[0]).toMatchObject({ offset: whole!.offset, share: whole!.share });
  }
  const single = scanner.search("single bytes");
  for (const byte of text) single.write(Uint8Array.of(byte));
  expect(single.end()[0]).toMatchObject({ offset: whole!.offset, share: whole!.share });
});

test.each<[string, (text: string) => string | Uint8Array]>([
  ["gzip", gzipSync],
  ["zlib", deflateSync],
  ["zstd", (text) => zstdCompressSync(text)],
  ["zstd in hex, as a dump writes it", (text) => `\\x${zstdCompressSync(text).toString("hex")}`],
  ["zstd in base64", (text) => `"${zstdCompressSync(text).toString("base64")}"`],
  ["gzip in base64", (text) => `"${gzipSync(text).toString("base64")}"`],
  ["gzip in zstd in gzip", (text) => gzipSync(zstdCompressSync(gzipSync(text)))],
])("finds a secret in %s, with other bytes around it", (_, pack) => {
  // Without repetition, and of few characters: so even what stands once is not copied as it is.
  const text = randomBytes(1_000).toString("hex") + plain + randomBytes(1_000).toString("hex");
  const packed = Buffer.from(pack(text) as Uint8Array);
  expect(packed.includes(plain)).toBe(false);
  expect(names(Buffer.concat([noise(), packed, Buffer.from("\n"), noise()]))).toEqual(["plain"]);
  expect(scanner.scan("the dump", packed)[0]!.place).toMatch(/^the dump > \w+ at \d+/);
});

test("finds a secret that is no text", () => {
  const key = randomBytes(32);
  const own = createScanner([{ name: "key", value: key }]);
  for (const write of ["latin1", "hex", "base64", "base64url"] as const) {
    const bytes = Buffer.concat([noise(), Buffer.from(key.toString(write), "latin1"), noise()]);
    expect(own.scan("here", bytes).map(({ share }) => share), write).toContain(1);
  }
});

test("finds a part of twelve characters, and nothing shorter", () => {
  for (let at = 0; at + 12 <= plain.length; at++) {
    expect(names(`x${plain.slice(at, at + 12)}x`), `from ${at}`).toEqual(["plain"]);
  }
  expect(names(`x${plain.slice(0, 11)}x`)).toEqual([]);
  expect(names(`x${plain.slice(-11)}x`)).toEqual([]);
});

test("tells each place once, with what stands before it", () => {
  const hits = scanner.scan("a file", `first=${plain}; second=${plain}`);
  expect(hits).toEqual([
    { canary: "plain", form: "raw", place: "a file", offset: 6, share: 1, before: "first=" },
    {
      canary: "plain",
      form: "raw",
      place: "a file",
      offset: 15 + plain.length,
      share: 1,
      before: expect.stringMatching(/; second=$/),
    },
  ]);
});

test("finds nothing in megabytes without a secret, its hash among them", () => {
  const hash = createHash("sha256").update(plain);
  const bytes = Buffer.concat([randomBytes(2 ** 23), Buffer.from(hash.copy().digest("hex"))]);
  expect(scanner.scan("noise", bytes)).toEqual([]);
  expect(scanner.scan("text", bytes.subarray(0, 2 ** 22).toString("base64"))).toEqual([]);
});

test("refuses a canary that chance could write", () => {
  expect(() => createScanner([{ name: "short", value: "abcdefghijk" }])).toThrow(
    'The canary "short" is too short',
  );
});
