import {
  type CompiledRule,
  GatewayError,
  type JsonObject,
  type RoutingEvaluator,
} from "@vmx/core/contract";
import { evaluateGroup } from "./evaluate-group.ts";
import { compileGroup, type Group } from "./group.ts";
import { RuleFault } from "./rule-fault.ts";

/** Rules of mode UI: conditions joined in groups. A rule whose every condition is disabled never matches. */
export function createConditionsEvaluator(): RoutingEvaluator {
  return {
    compile(rule: JsonObject): CompiledRule {
      const group = compile(rule);
      if (!group) return { evaluate: () => ({ matched: false, conditions: [] }) };
      return { evaluate: (facts, options) => evaluateGroup(group, facts, options) };
    },
  };
}

function compile(rule: JsonObject): Group | undefined {
  try {
    return compileGroup(rule);
  } catch (error) {
    if (!(error instanceof RuleFault)) throw error;
    const { message, pointer } = error;
    throw new GatewayError("EXPRESSION_INVALID", `Cannot compile the condition: ${message}`, {
      cause: error,
      faults: [{ path: pointer, code: "EXPRESSION_INVALID", message }],
    });
  }
}
