import { routingCases, runCases } from "@vmx/core/conformance";
import { createConditionsEvaluator } from "./evaluator.ts";
import { condition, group, hostileRules } from "./examples.ts";

await runCases(
  "routing conditions",
  routingCases({
    create: createConditionsEvaluator,
    matching: [
      group("AND", []),
      group("AND", [condition("tokens.input", "GREATER_THAN", "number", "1000")]),
      group("AND", [condition("request.toolsCount > 0", "EQUAL", "boolean", "true")]),
      group("AND", [condition("errorRate(10, 'any')", "GREATER_THAN_OR_EQUAL", "number", "25")]),
      group("OR", [
        condition("metadata.tier", "EQUAL", "string", "silver"),
        condition("metadata.tier", "EQUAL", "string", "gold"),
        condition("metadata.tier", "EQUAL", "string", "bronze"),
      ]),
      group("AND", [
        condition("request.model", "IN", "comma-delimited-list", "slow, fast"),
        group("OR", [
          condition("sourceIp", "STARTS_WITH", "string", "192."),
          condition("apiKey.labels", "CONTAINS", "string", "batch"),
        ]),
      ]),
      group("AND", [
        condition("request.lastUserMessage.content", "PATTERN", "string", "(?i)^summarise"),
      ]),
      group("AND", [{ ...condition("request.model", "EQUAL", "string", "x"), enabled: false }, {
        ...condition("request.model", "EQUAL", "string", "fast"),
      }]),
    ],
    failing: [
      group("OR", []),
      group("AND", [condition("tokens.input", "LESS_THAN", "number", "1000")]),
      group("AND", [
        condition("request.model", "EQUAL", "string", "fast"),
        condition("request.absent", "EXISTS", "boolean", "true"),
      ]),
      group("AND", [condition("request.model", "EQUAL", "string", undefined)]),
      group("OR", [condition("request.model", "NOT_IN", "json-array", '["fast"]')]),
    ],
    invalid: [
      {
        rule: group("AND", [condition("request.model ==", "EQUAL", "string", "x")]),
        path: "/conditions/0/expression",
      },
      {
        rule: group("AND", [
          condition("request.model", "EQUAL", "string", "x"),
          group("OR", [condition("request.model", "LIKE", "string", "x")]),
        ]),
        path: "/conditions/1/conditions/0/comparator",
      },
      {
        rule: group("AND", [condition("request.model", "PATTERN", "string", "(")]),
        path: "/conditions/0/value/expression",
      },
      {
        rule: group("AND", [condition("tokens.input", "EQUAL", "number", "many")]),
        path: "/conditions/0/value/expression",
      },
      {
        rule: group("AND", [{
          ...condition("request.constructor", "EXISTS", "boolean", "true"),
          enabled: false,
        }]),
        path: "/conditions/0/expression",
      },
    ],
    hostile: hostileRules,
  }),
);
