import { test } from "vitest";
import { checkRandomPolicies } from "./random-policies.test.ts";

test("200,000 random policies: verdicts equal the reference's, nothing is granted that is not held", () => {
  checkRandomPolicies(200_000);
});
