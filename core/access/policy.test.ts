import fc from "fast-check";
import { expect, test } from "vitest";
import type { PolicyView } from "../store/snapshot.ts";
import { checkPolicy, compilePolicy, decide } from "./policy.ts";
import { resourceOf } from "./resource.ts";

const verdict = (policy: PolicyView, action: string, resource: ReturnType<typeof resourceOf>) =>
  decide(compilePolicy(policy), action, resource);
const allow = (actions: string[], resources: string[]): PolicyView => ({
  statements: [{ effect: "allow", actions, resources }],
});
const production = { name: "production", id: "11111111-1111-4111-8111-111111111111" };
const chat = resourceOf([
  "workspace",
  { name: "acme", id: "22222222-2222-4222-8222-222222222222" },
  "environment",
  production,
  "ai-resource",
  { name: "chat", id: "33333333-3333-4333-8333-333333333333" },
]);

test("a pattern that begins with a nested module is completed from the left", () => {
  expect(verdict(allow(["*"], ["ai-resource:chat"]), "ai-resource:get", chat)).toBe("allow");
  expect(verdict(allow(["*"], ["environment:production"]), "ai-resource:get", chat)).toBe("none");
  expect(verdict(allow(["*"], ["environment:production:*"]), "ai-resource:get", chat))
    .toBe("allow");
});

test("names are matched without regard to case, and ids do as well as names", () => {
  for (
    const pattern of [
      "workspace:ACME:environment:Production:ai-resource:CHAT",
      "workspace:22222222-2222-4222-8222-222222222222:*",
      "workspace:acme:environment:11111111-1111-4111-8111-111111111111:ai-resource:chat",
    ]
  ) expect(verdict(allow(["*"], [pattern]), "ai-resource:get", chat)).toBe("allow");
  expect(verdict(allow(["AI-RESOURCE:get"], ["*"]), "ai-resource:get", chat)).toBe("none");
});

test("a name with colons and stars cannot reach beyond its segment", () => {
  const tricky = resourceOf(["workspace", { name: "a:environment:b", id: "x" }]);
  expect(verdict(allow(["*"], ["workspace:a:environment:b"]), "workspace:get", tricky))
    .toBe("none");
  expect(verdict(allow(["*"], ["workspace:a%3Aenvironment%3Ab"]), "workspace:get", tricky))
    .toBe("allow");
});

test("`activity` alone means the installation's trail", () => {
  expect(verdict(allow(["activity:list"], ["activity"]), "activity:list", resourceOf(["activity"])))
    .toBe("allow");
  const inner = resourceOf(["workspace", production, "environment", production, "activity"]);
  expect(verdict(allow(["activity:list"], ["activity"]), "activity:list", inner)).toBe("none");
});

test("synonyms of older policies keep their meaning", () => {
  const audit = resourceOf(["workspace", production, "environment", production, "audit"]);
  expect(verdict(allow(["request-audit:list"], ["completion-audit"]), "audit:list", audit))
    .toBe("allow");
  expect(verdict(allow(["completion-metrics:get-error-rate"], ["*"]), "ai-resource:get", chat))
    .toBe("allow");
});

test("unknown modules and operations are refused at save, wildcards are not", () => {
  const faulty = {
    statements: [{
      effect: "Allow",
      actions: ["ai-conection:get", "workspace:fly", "workspace", "work*:fly", "*"],
      resources: ["conection:a", "*:x", "workspace:*"],
    }],
  };
  expect(() => checkPolicy(faulty, "/policy")).toThrow(expect.objectContaining({
    code: "POLICY_INVALID",
    faults: [0, 1, 2].map((index) =>
      expect.objectContaining({ path: `/policy/statements/0/actions/${index}` })
    ).concat([expect.objectContaining({ path: "/policy/statements/0/resources/0" })]),
  }));
  expect(
    checkPolicy({
      statements: [{ effect: "DENY", actions: ["*:get"], resources: ["constructor*"] }],
    })
      .statements[0]!.effect,
  ).toBe("deny");
});

// The reference: patterns as anchored expressions, statements looked at one by one.
function expression(pattern: string, flags: string): RegExp {
  const source = pattern.replace(/[.+^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*").replaceAll(
    "?",
    ".",
  );
  return new RegExp(`^${source}$`, `su${flags}`);
}
function reference(policy: PolicyView, action: string, resource: string): string {
  const applies = policy.statements.filter((statement) =>
    statement.actions.some((pattern) => expression(pattern, "").test(action)) &&
    statement.resources.some((pattern) => expression(pattern, "i").test(resource))
  );
  if (applies.some(({ effect }) => effect === "deny")) return "deny";
  return applies.length > 0 ? "allow" : "none";
}

const actionPattern = fc.constantFrom("*", "*:get", "role:*", "role:get", "r?le:get", "user:list");
const resourcePattern = fc.constantFrom(
  "*",
  "role",
  "role:*",
  "role:a",
  "ROLE:A",
  "role:?",
  "user:*b",
);
const statement = fc.record({
  effect: fc.constantFrom("allow" as const, "deny" as const),
  actions: fc.array(actionPattern, { minLength: 1, maxLength: 3 }),
  resources: fc.array(resourcePattern, { minLength: 1, maxLength: 3 }),
});
const policy = fc.record({ statements: fc.array(statement, { minLength: 1, maxLength: 5 }) });
const action = fc.constantFrom("role:get", "role:list", "user:list", "rule:get");
const resource = fc.constantFrom("role", "role:a", "role:b", "user:ab");
const parse = (text: string) => resourceOf(text.split(":"));

test("verdicts equal the reference's for 4,000 random policies, in any order of statements", () => {
  fc.assert(
    fc.property(policy, action, resource, (rules, what, where) => {
      const expected = reference(rules, what, where);
      expect(verdict(rules, what, parse(where))).toBe(expected);
      const reversed = { statements: [...rules.statements].reverse() };
      expect(verdict(reversed, what, parse(where))).toBe(expected);
    }),
    { numRuns: 4000 },
  );
});

test("adding a deny never grants, removing an allow never grants", () => {
  fc.assert(
    fc.property(policy, statement, action, resource, (rules, extra, what, where) => {
      const before = verdict(rules, what, parse(where));
      if (before === "allow") return;
      const denied = { statements: [...rules.statements, { ...extra, effect: "deny" as const }] };
      expect(verdict(denied, what, parse(where))).not.toBe("allow");
      const kept = rules.statements.filter(({ effect }, index) => effect === "deny" || index > 0);
      expect(verdict({ statements: kept }, what, parse(where))).not.toBe("allow");
    }),
    { numRuns: 2000 },
  );
});
