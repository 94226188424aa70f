import fc from "fast-check";
import { expect, test } from "vitest";
import { createTokenValue } from "../access/token-format.ts";
import { Secret } from "../kit/index.ts";
import { containsAny } from "./contains-any.ts";
import { createRedact } from "./redact.ts";

const patterns = [
  "\\bsk-[A-Za-z0-9_-]{16,}",
  "\\b(?:AKIA|ASIA)[A-Z2-7]{16}\\b",
  "\\bAQ\\.[0-9A-Za-z_-]{20,}",
];

/** All formats in one expression, each where it stands: slow, and what the fast way has to agree with. */
const together = new RegExp(
  [
    "vmx_(?:sk|pat)_[A-Za-z0-9_-]{8,}",
    "(?<=\\b[Bb]earer )[A-Za-z0-9._~+/=-]{8,}",
    '(?<=://)[^/\\s:@"]+:[^/\\s@"]+(?=@)',
    '(?<=\\b(?i:authorization|cookie|set-cookie|x-api-key|x-goog-api-key|x-vmx-csrf)\\\\?"?[:=] ?\\\\?"?)' +
    '(?:(?i:bearer|basic) )?[^\\s"\\\\][^\\r\\n"\\\\]*',
    "(?<=\\bvmx_session=)[\\w-]{8,}",
    '(?<=[?&](?:key|api[_-]?key|token|access_token|secret|password|signature)=)[^&\\s"]+',
    ...patterns,
  ].map((pattern) => `(?:${pattern})`).join("|"),
  "g",
);

const pieces = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.string({ unit: "binary", maxLength: 4 }),
  fc.stringMatching(/^[A-Za-z0-9_-]{6,24}$/),
  fc.constantFrom(
    ...'vmx_sk_,vmx_pat_,Bearer ,bearer ,BEARER ,basic ,://,@,:,/,",\\,\\",\r\n, ,\t,=,&,?,é,\u2028'
      .split(","),
    ...'authorization,Authorization: ,"authorization":",cookie=,Set-Cookie: ,X-API-Key\\":\\"'
      .split(","),
    ..."x-goog-api-key,x-vmx-csrf: ,vmx_session=,?key=,&token=,&api-key=,?apikey=,signature=".split(
      ",",
    ),
    ..."sk-,sk-abcdefghijklmnop,AKIAABCDEFGHIJKLMNOP,ASIA,AQ.,AQ.abcdefghijklmnopqrstuv".split(","),
    ..."known-secret,known-secret-two,https://user:pass@host/,abcdefghij,redacted".split(","),
  ),
);
const texts = fc.array(pieces, { maxLength: 14 }).map((parts) => parts.join(""));

test("each format found by itself gives what all of them together give", () => {
  const redact = createRedact(patterns);
  fc.assert(
    fc.property(texts, (text) => {
      expect(redact(text)).toBe(text.replace(together, "[redacted]"));
    }),
    { numRuns: 5_000 },
  );
});

test("known values are taken out wherever they stand, few or many", () => {
  const many = Array.from({ length: 40 }, (_, index) => `value-${index}-of-many`);
  let known = ["known-secret-two", "known-secret"];
  const redact = createRedact(patterns, () => known);
  const agrees = fc.property(texts, fc.constantFrom(...many), (text, value) => {
    const given = `${text}${value}${text}`;
    const expected = known.reduce((safe, secret) => safe.replaceAll(secret, "[redacted]"), given);
    expect(redact(given)).toBe(expected.replace(together, "[redacted]"));
  });
  fc.assert(agrees, { numRuns: 500 });
  known = [...known, ...many];
  fc.assert(agrees, { numRuns: 500 });
});

test("a text contains one of many values or it does not", () => {
  const value = fc.string({ unit: fc.constantFrom("a", "b"), minLength: 4, maxLength: 9 });
  const text = fc.string({ unit: fc.constantFrom("a", "b"), maxLength: 30 });
  fc.assert(
    fc.property(fc.array(value, { maxLength: 30 }), text, (values, given) => {
      expect(containsAny(values)(given)).toBe(values.some((one) => given.includes(one)));
    }),
    { numRuns: 2_000 },
  );
});

test("secrets of a configuration are taken out, short ones are not looked for", () => {
  const redact = createRedact([]);
  const config = { apiKey: new Secret("the-secret-key"), pin: new Secret("1234") };
  expect(redact("the-secret-key 1234", config)).toBe("[redacted] 1234");
});

test.each<[string, (secret: string) => string]>([
  ["as JSON", JSON.stringify],
  ["as JSON within JSON", (secret) => JSON.stringify(JSON.stringify({ secret }))],
  ["three deep", (secret) => JSON.stringify(JSON.stringify(JSON.stringify({ secret })))],
  ["as JSON that spares HTML", (secret) => JSON.stringify(secret).replaceAll("<", "\\u003c")],
  ["as JSON with escaped slashes", (secret) => JSON.stringify(secret).replaceAll("/", "\\/")],
  ["as JSON in ASCII", (secret) => JSON.stringify(secret).replaceAll("é", "\\u00e9")],
  ["URL-encoded", encodeURIComponent],
  [
    "URL-encoded in lower case",
    (secret) => encodeURIComponent(secret).replace(/%../g, (one) => one.toLowerCase()),
  ],
  ["in a submitted form", (secret) => new URLSearchParams({ secret }).toString()],
])("a secret with awkward characters is taken out %s", (_, write) => {
  for (
    const secret of ['beginning"and\\end', "beginning/and<end", "beginning é end", "beg==in+end"]
  ) {
    const text = `before ${write(secret)} after`;
    const safe = createRedact([])(text, { nested: { apiKey: new Secret(secret) } });
    expect(safe).toMatch(/^before .*\[redacted\].* after$/);
    expect(safe).not.toMatch(/beg|end/);
  }
});

test("a personal access token is taken out as a whole, whatever characters it has", () => {
  const redact = createRedact([]);
  for (let byte = 0; byte < 256; byte++) {
    const { value } = createTokenValue((size) => new Uint8Array(size).fill(byte));
    expect(redact(`the token ${value}.`), value).toBe("the token [redacted].");
  }
});
