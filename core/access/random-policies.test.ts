import { test } from "vitest";
import { checkRandomPolicies } from "./random-policies.ts";

test("5,000 random policies: verdicts equal the reference's, nothing is granted that is not held", () => {
  checkRandomPolicies(5_000);
});
