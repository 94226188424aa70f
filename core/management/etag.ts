import { GatewayError } from "../contract/errors.ts";

/** The ETag of an object's version. */
export function etagOf(version: number): string {
  return `"${version}"`;
}

/** Versions a precondition header names; `*` stands for any. */
export function parseEtags(header: string | undefined): string[] | undefined {
  if (header === undefined) return undefined;
  return header.split(",").map((tag) => tag.trim()).filter(Boolean);
}

/**
 * Refuses a change of an object that has moved on since the caller read it.
 *
 * Throws `VERSION_MISMATCH`.
 */
export function checkVersion(
  ifMatch: readonly string[] | undefined,
  current: { readonly version: number },
): void {
  if (!ifMatch || ifMatch.includes("*") || ifMatch.includes(etagOf(current.version))) return;
  throw new GatewayError(
    "VERSION_MISMATCH",
    `Cannot change the object: it is at version ${current.version} by now`,
    { details: { currentVersion: current.version } },
  );
}
