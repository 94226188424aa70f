import type { PrioritizationParameters } from "@vmx/core/contract";
import type { MovingPool } from "./recompute.ts";
import { onePoint, points, tokens } from "./units.ts";

/** One thing that happened to a share. */
export type Step =
  /** The definition changed around it. `cut`: the shares added up to more than the whole. */
  | { readonly kind: "raised" | "lowered" | "cut" | "released"; readonly units: number }
  | { readonly kind: "gave"; readonly units: number; readonly to: string }
  | {
    readonly kind: "grew";
    readonly units: number;
    /** What it wanted besides. */
    readonly missing: number;
    readonly isFromFree: boolean;
    readonly givers: readonly string[];
  };

/** What an unmoved pool's sentence needs to know. */
export interface Surroundings {
  readonly free: number;
  readonly now: number;
  readonly parameters: PrioritizationParameters;
}

/** Tells why a share moved. */
export function tellSteps(pool: MovingPool, parameters: PrioritizationParameters): string {
  return pool.steps.map((step) => tellStep(step, pool, parameters)).join("; ");
}

/** Tells why a share stayed where it was. */
export function reasonToStay(pool: MovingPool, { free, now, parameters }: Surroundings): string {
  const demand = demandOf(pool, parameters);
  const keeps = `keeps ${points(pool.current)} %`;
  if (pool.target > pool.current) {
    return `${keeps}: ${demand} asks for ${points(pool.target)} %, but ${
      free > 0 ? "not enough" : "no"
    } share is free and no pool behind it can give`;
  }
  if (pool.wanted >= pool.max && pool.current === pool.max) {
    return `${keeps}: ${demand} asks for it, and it is the maximum`;
  }
  if (pool.current === pool.min && pool.wanted <= pool.min) {
    return pool.wanted === pool.min
      ? `${keeps}: ${demand} asks for it, and it is the minimum`
      : `${keeps}: ${points(pool.wanted)} % would do for ${demand}, but it is the minimum`;
  }
  if (pool.current - pool.target >= onePoint) {
    const seconds = Math.floor((now - pool.lastGrowthAt) / 1000);
    return `${keeps}: ${
      points(pool.target)
    } % would do for ${demand}, but it grew ${seconds} s ago ` +
      `and rests for ${parameters.cooldownSeconds} s`;
  }
  return `${keeps}: ${demand} asks for ${points(pool.target)} %`;
}

function tellStep(step: Step, pool: MovingPool, parameters: PrioritizationParameters): string {
  const size = span(step.units);
  switch (step.kind) {
    case "raised":
      return `raised ${size} to its minimum of ${points(pool.min)} %: the definition changed`;
    case "lowered":
      return `lowered ${size} to its maximum of ${points(pool.max)} %: the definition changed`;
    case "cut":
      return `gave up ${size}: the definition changed and the shares came to more than 100 %`;
    case "released":
      return `released ${size}: ${points(pool.target)} % is enough for ${
        demandOf(pool, parameters)
      }`;
    case "gave":
      return `gave ${size} to ${step.to}, which comes before it`;
    case "grew": {
      const sources = [...step.isFromFree ? ["free share"] : [], ...step.givers];
      const rest = step.missing > 0 ? `, ${span(step.missing)} more could not be had` : "";
      return `grew ${size}: ${demandOf(pool, parameters)} is above ` +
        `${parameters.scaleUpThresholdPercent} % of its share; taken from ${list(sources)}${rest}`;
    }
  }
}

function demandOf(pool: MovingPool, { windowSeconds }: PrioritizationParameters): string {
  return `demand ${tokens(pool.demand)} tokens in ${windowSeconds} s`;
}

function span(units: number): string {
  return `${points(units)} ${units === onePoint ? "point" : "points"}`;
}

function list(names: readonly string[]): string {
  return names.length < 2
    ? names.join("")
    : `${names.slice(0, -1).join(", ")} and ${names[names.length - 1]}`;
}
