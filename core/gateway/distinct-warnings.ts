import type { Warning } from "../contract/index.ts";

/** Warnings without those that say again what another did: one tells of all images an answer lost in one place. */
export function distinctWarnings(warnings: readonly Warning[]): Warning[] {
  const told = new Map<string, Warning>();
  for (const warning of warnings) {
    const { code, path, detail = "" } = warning;
    const key = JSON.stringify([code, path, detail]);
    if (!told.has(key)) told.set(key, warning);
  }
  return [...told.values()];
}
