import type { Json, JsonObject } from "@vmx/core/contract";
import { forbiddenNames, isObject } from "@vmx/core/kit";
import { camel, objectsOf, textOf } from "./read-json.ts";

/** Puts together the arguments of a call that is told piece by piece (`partialArgs`). */
export interface PartialArguments {
  add(pieces: Json | undefined): void;
  /** The arguments as JSON text. */
  text(): string;
}

type Container = Record<string, Json> | Json[];

/** Each piece names a place, such as `$.city` or `$.days[0].name`; texts at the same place are put together. */
export function createPartialArguments(whole: JsonObject | undefined): PartialArguments {
  const root: Record<string, Json> = {};
  for (const [name, value] of Object.entries(whole ?? {})) {
    if (value !== undefined) root[name] = value;
  }
  return {
    add(pieces) {
      for (const piece of objectsOf(pieces).map(camel)) {
        const steps = readSteps(textOf(piece["jsonPath"]) ?? "");
        const value = readValue(piece);
        if (steps.length > 0 && value !== undefined) put(root, steps, value);
      }
    },
    text: () => JSON.stringify(root),
  };
}

function readValue(piece: JsonObject): Json | undefined {
  if ("nullValue" in piece) return null;
  return piece["stringValue"] ?? piece["numberValue"] ?? piece["boolValue"];
}

function readSteps(path: string): (string | number)[] {
  const steps: (string | number)[] = [];
  for (const [, name, index, quoted] of path.slice(0, 1000).matchAll(step)) {
    steps.push(index === undefined ? name ?? quoted ?? "" : Number(index));
  }
  return steps.some((each) => typeof each === "string" && forbiddenNames.has(each)) ? [] : steps;
}

const step = /\.([^.[\]]+)|\[(\d{1,6})\]|\[['"]([^'"\]]*)['"]\]/g;

function put(root: Container, steps: readonly (string | number)[], value: Json): void {
  let at = root;
  for (const [depth, name] of steps.entries()) {
    // Lists grow by one element at a time, and only numbers count their elements.
    if (
      Array.isArray(at) ? typeof name !== "number" || name > at.length : typeof name === "number"
    ) {
      return;
    }
    const place = at as Record<string | number, Json>;
    const next = steps[depth + 1];
    const before = Object.hasOwn(place, name) ? place[name] : undefined;
    if (next === undefined) {
      place[name] = typeof before === "string" && typeof value === "string"
        ? before + value
        : value;
      return;
    }
    if (!isObject(before) && !Array.isArray(before)) {
      place[name] = typeof next === "number" ? [] : {};
    }
    at = place[name] as Container;
  }
}
