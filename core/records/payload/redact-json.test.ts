import fc from "fast-check";
import { expect, test } from "vitest";
import { createRedact } from "../../gateway/redact.ts";
import { redactJson } from "./redact-json.ts";

const redact = createRedact(["sk-[A-Za-z0-9_-]{16,}"]);
const secret = "sk-abcdefghijklmnop1234";

test("JSON stays JSON, whatever stands beside the words that announce secrets", () => {
  const names = fc.constantFrom("authorization", "cookie", "x-api-key", "a", "text");
  const leaf = fc.oneof(
    fc.constant(null),
    fc.integer(),
    fc.string(),
    fc.constantFrom(`key ${secret}`, "cookie: a=b", "Bearer abcdefghijkl", "https://u:p@h/"),
  );
  const value = fc.letrec((tie) => ({
    node: fc.oneof(
      { maxDepth: 3 },
      leaf,
      fc.dictionary(names, tie("node")),
      fc.array(tie("node"), { maxLength: 3 }),
    ),
  })).node;
  fc.assert(fc.property(value, (given) => {
    const safe = redactJson(JSON.stringify(given), redact);
    JSON.parse(safe);
    expect(safe).not.toContain(secret);
  }));
});
