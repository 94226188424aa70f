import fc from "fast-check";
import { expect, test } from "vitest";
import type { PolicyView } from "../store/snapshot.ts";
import { allActions } from "./actions.ts";
import { refuseEscalation } from "./escalation.ts";
import { compilePolicy, decide } from "./policy.ts";
import { judgeByReference } from "./reference-model.ts";
import { resourceOf, type Segment } from "./resource.ts";

const names = ["prod", "production", "Prod", "a.c", "abc", "a:b", "50%", "*", "?", "É", "😀"];
const ids = ["11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"];
const object = fc.record({ name: fc.constantFrom(...names), id: fc.constantFrom(...ids) });
const module = fc.constantFrom("ai-connection", "ai-resource", "api-key", "capacity", "activity");

const segments: fc.Arbitrary<Segment[]> = fc.oneof(
  fc.tuple(fc.constantFrom("user", "role", "plugin", "system"), object)
    .map(([first, item]): Segment[] => [first, item]),
  fc.constantFrom<Segment[]>(["workspace"], ["user"], ["role"], ["activity"], ["system"]),
  object.map((workspace): Segment[] => ["workspace", workspace]),
  fc.tuple(object, object)
    .map(([workspace, environment]): Segment[] => [
      "workspace",
      workspace,
      "environment",
      environment,
    ]),
  fc.tuple(object, object, module, fc.option(object, { nil: undefined }))
    .map(([workspace, environment, inner, item]): Segment[] => [
      "workspace",
      workspace,
      "environment",
      environment,
      inner,
      ...(item ? [item] : []),
    ]),
);

/** A part of what is there, with a wildcard where something was. */
const wildcard = (text: string) =>
  fc.tuple(fc.nat(text.length), fc.nat(4), fc.constantFrom("*", "?", "")).map(
    ([from, length, symbol]) => text.slice(0, from) + symbol + text.slice(from + length) || "*",
  );
const resourcePattern = fc.oneof(
  fc.constantFrom("*", "workspace:*", "workspace:prod:*", "environment:prod", "ai-resource:*"),
  segments.map((list) => resourceOf(list).text),
  segments.chain((list) => wildcard(resourceOf(list).text)),
  segments.chain((list) => wildcard(resourceOf(list).spellings.at(-1)!)),
);
const actionPattern = fc.oneof(
  fc.constantFrom("*", "*:get", "*:*", "workspace:*"),
  fc.constantFrom(...allActions),
  fc.constantFrom(...allActions).chain(wildcard),
);
const statement = fc.record({
  effect: fc.constantFrom("allow" as const, "allow" as const, "deny" as const),
  actions: fc.array(actionPattern, { minLength: 1, maxLength: 3 }),
  resources: fc.array(resourcePattern, { minLength: 1, maxLength: 3 }),
});
const policy: fc.Arbitrary<PolicyView> = fc.record({
  statements: fc.array(statement, { minLength: 1, maxLength: 5 }),
});

/** Holds the policy engine against the reference model, and to the laws of granting, for random policies. */
export function checkRandomPolicies(count: number): void {
  fc.assert(
    fc.property(
      policy,
      policy,
      statement,
      fc.constantFrom(...allActions),
      segments,
      (rules, other, extra, action, list) => {
        const resource = resourceOf(list);
        const verdict = (view: PolicyView) => decide(compilePolicy(view), action, resource);
        const said = verdict(rules);
        expect(said).toBe(judgeByReference(rules, action, resource.spellings));
        expect(verdict({ statements: rules.statements.toReversed() })).toBe(said);
        if (said !== "allow") {
          const denied = {
            statements: [...rules.statements, { ...extra, effect: "deny" as const }],
          };
          expect(verdict(denied)).not.toBe("allow");
          const fewer = rules.statements.filter(({ effect }, at) => effect === "deny" || at > 0);
          expect(verdict({ statements: fewer })).not.toBe("allow");
        }
        // What one may grant allows nothing one may not do.
        if (verdict(other) === "allow" && said !== "allow") {
          expect(() => refuseEscalation([compilePolicy(rules)], [compilePolicy(other)])).toThrow();
        }
      },
    ),
    { numRuns: count },
  );
}

test("5,000 random policies: verdicts equal the reference's, nothing is granted that is not held", () => {
  checkRandomPolicies(5_000);
});
