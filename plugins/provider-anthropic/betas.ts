import type { ProviderRequest } from "@vmx/core/contract";
import { editObject } from "@vmx/core/kit";

/** A body without `betas`, and what they were. */
export interface WithoutBetas {
  readonly body: string;
  readonly betas: readonly string[];
}

/**
 * Takes `betas` out of the body: the SDK's spelling for what travels in the header `anthropic-beta`. A value that
 * is no list of names stays, for the service to complain about.
 */
export function takeBetas(request: ProviderRequest): WithoutBetas {
  const { body } = request;
  // Few bodies hold the word, and searching is cheaper than reading.
  if (!body.includes('"betas"')) return { body, betas: [] };
  const { betas } = request.bodyObject();
  if (!Array.isArray(betas) || !betas.every(isName)) return { body, betas: [] };
  return { body: editObject(body, { remove: ["betas"] }), betas };
}

/** Joins the values of `anthropic-beta`; each name stands once. Undefined when there is none. */
export function joinBetas(...values: readonly (string | undefined)[]): string | undefined {
  const names = values.flatMap((value) => value?.split(",") ?? [])
    .map((name) => name.trim()).filter((name) => name !== "");
  return names.length === 0 ? undefined : [...new Set(names)].join(",");
}

/** A header must not be broken by what it holds. */
function isName(value: unknown): value is string {
  return typeof value === "string" && /^[\w.:-]+$/.test(value);
}
