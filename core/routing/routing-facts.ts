import { budgetSpent, type RequestFacts, type RoutingFacts } from "../contract/index.ts";
import type { Json, JsonObject } from "../contract/json.ts";
import { plainCopy, readMember } from "../kit/index.ts";
import type { Budget } from "./budget.ts";
import { clockVariables } from "./clock-variables.ts";
import { liveFunctions, type LiveValues } from "./live-functions.ts";
import { plainFunctions, stepsOf } from "./plain-functions.ts";
import { requestVariables } from "./request-variables.ts";

/** What the facts of one request are made of. */
export interface FactSource {
  /** Facts of the merged body. */
  readonly inspection: RequestFacts;
  /** The caller's body with default and provider arguments merged. */
  readonly mergedBody: JsonObject;
  /** The body as received; its envelope is left out here. */
  readonly nativeBody: JsonObject;
  /** Metadata of envelope and headers. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Absent for callers without a key. */
  readonly apiKey: { readonly name: string; readonly labels: readonly string[] } | undefined;
  readonly sourceIp: string;
  /** The resource with its overrides merged. */
  readonly resource: { readonly name: string; readonly model: object };
  /** The word for the dialect, such as its `inbound.format`. */
  readonly format: string;
  /** Unix milliseconds. */
  readonly now: number;
  readonly live: LiveValues;
  readonly budget: Budget;
}

/**
 * Facts of one request as rules see them. Everything is computed when it is asked for and at most once: a live
 * function answers the same to the same arguments as long as the request lasts.
 */
export function createRoutingFacts(source: FactSource): RoutingFacts {
  const { apiKey, budget, inspection, live, resource } = source;
  const copies = new Map<object, Json>();
  const answers = new Map<string, Json | undefined>();
  const request = requestVariables(source);
  const clock = clockVariables(source.now);
  let copied = 0;
  const visit = (members: number): void => {
    copied += members + 1;
    if (copied < membersPerStep) return;
    const steps = Math.floor(copied / membersPerStep);
    copied -= steps * membersPerStep;
    if (!budget.spend(steps)) throw new Error(budgetSpent);
  };

  function frozen(value: Json | undefined): Json | undefined {
    if (typeof value !== "object" || value === null) return value;
    let copy = copies.get(value);
    if (copy === undefined) copies.set(value, copy = plainCopy(value, visit));
    return copy;
  }

  function root(name: string): Json | undefined {
    switch (name) {
      case "tokens":
        return { input: inspection.inputTokens };
      case "requestTokens":
        return inspection.inputTokens;
      case "hasTools":
      case "hasImages":
      case "hasFiles":
        return request.read(name);
      case "metadata":
        return source.metadata;
      case "apiKey":
        return apiKey && { name: apiKey.name, labels: apiKey.labels };
      case "sourceIp":
        return source.sourceIp;
      case "resource":
        return { name: resource.name, model: resource.model as JsonObject };
      case "now":
        return clock.all();
    }
    return undefined;
  }

  const roots = new Map<string, Json | undefined>();
  function rootOnce(name: string): Json | undefined {
    if (!roots.has(name)) roots.set(name, root(name));
    return roots.get(name);
  }

  return {
    variable(path) {
      const [first = "", second] = path;
      if (first === "now" && path.length === 2) return clock.read(second!);
      const isRequest = first === "request";
      if (isRequest && second === undefined) return frozen(source.mergedBody);
      let value = isRequest ? request.read(second!) : rootOnce(first);
      for (let at = isRequest ? 2 : 1; at < path.length; at++) value = readMember(value, path[at]!);
      return frozen(value);
    },
    call(name, args) {
      const plain = Object.hasOwn(plainFunctions, name) ? plainFunctions[name] : undefined;
      if (plain) {
        const answer = plain(args);
        const steps = stepsOf(args);
        if (steps > 0) budget.spend(steps);
        return answer;
      }
      const asked = Object.hasOwn(liveFunctions, name) ? liveFunctions[name] : undefined;
      if (!asked) throw new Error(`unknown function "${name}"`);
      const key = name + JSON.stringify(args);
      if (!answers.has(key)) answers.set(key, asked(args, live));
      return answers.get(key);
    },
    step: (count) => budget.spend(count),
  };
}

/** Members of objects and lists whose copying counts as one step. */
const membersPerStep = 16;
