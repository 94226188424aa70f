import { expect, test } from "vitest";
import { createSystemResolver, type ResolveDone } from "./resolve.ts";

test("one question answers all who ask for a name at the same time, and the next asks anew", () => {
  const asked: ResolveDone[] = [];
  const resolve = createSystemResolver((_host, done) => asked.push(done));
  const answers: unknown[] = [];
  for (let at = 0; at < 3; at++) resolve("a.example", (_error, found) => answers.push(found));
  resolve("b.example", () => {});
  expect(asked).toHaveLength(2);
  asked[0]?.(null, [{ address: "192.0.2.1", family: 4 }]);
  expect(answers).toHaveLength(3);
  resolve("a.example", () => {});
  expect(asked).toHaveLength(3);
});

test("the system knows localhost", async () => {
  const found = await new Promise((resolve) =>
    createSystemResolver()("localhost", (_, all) => resolve(all))
  );
  expect(JSON.stringify(found)).toMatch(/127\.0\.0\.1|::1/);
});
