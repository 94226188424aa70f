import { type Fault, GatewayError } from "../contract/errors.ts";
import type { PolicyView } from "../store/snapshot.ts";
import { permissionModules } from "./actions.ts";
import { compilePattern } from "./pattern.ts";
import type { Resource } from "./resource.ts";

/** A policy with its patterns completed and compiled. */
export interface CompiledPolicy {
  readonly statements: readonly CompiledStatement[];
}

/** One statement; the texts are the completed patterns, in lower case for resources. */
export interface CompiledStatement {
  readonly effect: "allow" | "deny";
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  readonly matchesAction: (action: string) => boolean;
  readonly matchesResource: (resource: Resource) => boolean;
}

/** What a policy says about one action on one resource. */
export type Verdict = "allow" | "deny" | "none";

/** Compiles a policy once; `decide` is then free of allocation. */
export function compilePolicy(policy: PolicyView): CompiledPolicy {
  return {
    statements: policy.statements.map((statement) => {
      const actions = statement.actions.map(completeAction);
      const resources = statement.resources.map(completeResource);
      const actionMatchers = actions.map(compilePattern);
      const resourceMatchers = resources.map(compilePattern);
      return {
        effect: statement.effect,
        actions,
        resources,
        matchesAction: (action) => actionMatchers.some((matches) => matches(action)),
        matchesResource: ({ spellings }) =>
          resourceMatchers.some((matches) => spellings.some(matches)),
      };
    }),
  };
}

/** A deny that matches wins over every allow; without any match the answer is `none`. */
export function decide(policy: CompiledPolicy, action: string, resource: Resource): Verdict {
  let verdict: Verdict = "none";
  for (const statement of policy.statements) {
    if (verdict === "allow" && statement.effect === "allow") continue;
    if (!statement.matchesAction(action) || !statement.matchesResource(resource)) continue;
    if (statement.effect === "deny") return "deny";
    verdict = "allow";
  }
  return verdict;
}

/**
 * Checks a policy before it is stored and answers its stored form: effects in lower case.
 *
 * Throws `POLICY_INVALID` with one fault per pattern.
 */
export function checkPolicy(
  policy: {
    readonly statements: readonly {
      readonly effect: string;
      readonly actions: readonly string[];
      readonly resources: readonly string[];
    }[];
  },
  path = "",
): PolicyView {
  const faults: Fault[] = [];
  policy.statements.forEach(({ actions, resources }, index) => {
    const at = `${path}/statements/${index}`;
    actions.forEach((action, place) => {
      const message = actionFault(action);
      if (message) faults.push({ path: `${at}/actions/${place}`, code: "POLICY_INVALID", message });
    });
    resources.forEach((resource, place) => {
      const message = resourceFault(resource);
      if (message) {
        faults.push({ path: `${at}/resources/${place}`, code: "POLICY_INVALID", message });
      }
    });
  });
  if (faults.length > 0) {
    throw new GatewayError("POLICY_INVALID", `Cannot save the policy: ${faults[0]!.message}`, {
      faults,
    });
  }
  return {
    statements: policy.statements.map(({ effect, actions, resources }) => ({
      effect: effect.toLowerCase() as "allow" | "deny",
      actions,
      resources,
    })),
  };
}

const actionSynonyms: Readonly<Record<string, string>> = {
  "completion-usage:query": "usage:get",
  "request-usage:query": "usage:get",
  "completion-metrics:get-error-rate": "ai-resource:get",
};
const moduleSynonyms: Readonly<Record<string, string>> = {
  "completion-audit": "audit",
  "request-audit": "audit",
  "completion-usage": "usage",
  "request-usage": "usage",
};

function completeAction(pattern: string): string {
  const synonym = own(actionSynonyms, pattern);
  if (synonym !== undefined) return synonym;
  const [module = "", ...rest] = pattern.split(":");
  return [own(moduleSynonyms, module) ?? module, ...rest].join(":");
}

function completeResource(pattern: string): string {
  const segments = pattern.toLowerCase().split(":");
  const first = own(moduleSynonyms, segments[0]!) ?? segments[0]!;
  segments[0] = first;
  const inner = segments[4];
  if (first === "workspace" && segments[2] === "environment" && inner !== undefined) {
    segments[4] = own(moduleSynonyms, inner) ?? inner;
  }
  const text = segments.join(":");
  const parent = own(permissionModules, first)?.parent;
  if (parent === "environment") return `workspace:*:environment:*:${text}`;
  if (parent === "workspace") return `workspace:*:${text}`;
  return text;
}

/** What is wrong with a pattern of actions; undefined when it names what there is. */
export function actionFault(pattern: string): string | undefined {
  const completed = completeAction(pattern);
  const parts = completed.split(":");
  const [module = "", operation] = parts;
  if (isWild(module)) return undefined;
  const known = own(permissionModules, module);
  if (!known) return `"${pattern}" names the unknown module "${module}"`;
  if (operation === undefined || parts.length > 2) {
    return `"${pattern}" is not of the form module:operation`;
  }
  if (isWild(operation) || known.operations.includes(operation)) return undefined;
  return `"${pattern}" names the unknown operation "${operation}"; ${module} has ${
    known.operations.join(", ")
  }`;
}

function resourceFault(pattern: string): string | undefined {
  const module = completeResource(pattern).split(":")[0]!;
  if (isWild(module) || own(permissionModules, module)) return undefined;
  return `"${pattern}" names the unknown module "${module}"`;
}

function isWild(text: string): boolean {
  return /[*?]/.test(text);
}

function own<Value>(record: Readonly<Record<string, Value>>, name: string): Value | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}
