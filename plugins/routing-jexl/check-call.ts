import { routingFunctions } from "@vmx/core/contract";
import { ExpressionFault, hint, quoted } from "./expression-fault.ts";
import type { Node } from "./node.ts";

/** Checks a call: its name, how many arguments it has, and those that stand in the text. */
export function checkCall(
  name: unknown,
  args: readonly Node[],
  isTransform: boolean,
  position: number | undefined,
): Node {
  if (typeof name !== "string" || !Object.hasOwn(routingFunctions, name)) {
    if (typeof name !== "string") throw new ExpressionFault("unknown function", position);
    const meant = hint(name, Object.keys(routingFunctions));
    throw new ExpressionFault(`unknown function ${quoted(name)}${meant}`, position);
  }
  const { min, max, live } = routingFunctions[name]!;
  if (isTransform && live) {
    throw new ExpressionFault(`"${name}" takes no value before it; write "${name}(...)"`, position);
  }
  if (args.length < min || args.length > max) {
    const wanted = min === max ? `${min}` : `${min} to ${max}`;
    throw new ExpressionFault(
      `"${name}" takes ${wanted} argument${wanted === "1" ? "" : "s"}, not ${args.length}`,
      position,
    );
  }
  args.forEach((arg, index) => {
    const rule = argumentRules[name]?.[index];
    const isFit = rule === undefined ||
      (arg.type === "literal" ? arg.value === undefined || rule.fits(arg.value) : !rule.literal);
    if (!isFit) {
      throw new ExpressionFault(
        `argument ${index + 1} of "${name}" must be ${rule.wanted}`,
        position,
      );
    }
  });
  return { type: "call", name, args };
}

interface ArgumentRule {
  fits(value: string | number | boolean | null): boolean;
  readonly wanted: string;
  /** Whether the argument must stand in the text, so that it is compiled once. */
  readonly literal?: true;
}

const whole = (least: number, most: number): ArgumentRule => ({
  fits: (value) => Number.isInteger(value) && Number(value) >= least && Number(value) <= most,
  wanted: `a whole number from ${least} to ${most}`,
});
const windowMinutes = whole(1, 180);

/** Rules of arguments by position; only literals can be checked before the rule runs. */
const argumentRules: Readonly<Record<string, readonly (ArgumentRule | undefined)[]>> = {
  errorRate: [windowMinutes, {
    fits: (value) => value === "any" || /^[1-5]\d\d$/.test(String(value)),
    wanted: `"any" or a status code`,
  }],
  latency: [whole(0, 100), windowMinutes],
  capacityUsage: [{
    fits: (value) => /^(minute|hour|day|week|month|lifetime)$/.test(String(value)),
    wanted: "minute, hour, day, week, month or lifetime",
  }],
  matches: [undefined, {
    fits: (value) => typeof value === "string",
    wanted: "a text in quotes",
    literal: true,
  }],
  hash: [undefined, whole(1, 1_000_000_000)],
};
