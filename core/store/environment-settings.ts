import { defaultEnvironmentSettings } from "@vmx/schemas";
import type { EnvironmentSettingsView } from "./snapshot.ts";

/** Fills stored settings up with the defaults; objects merge. */
export function completeSettings(stored: Record<string, unknown>): EnvironmentSettingsView {
  const complete: EnvironmentSettingsView & Record<string, unknown> = {
    ...defaultEnvironmentSettings,
  };
  for (const [key, value] of Object.entries(stored)) {
    const base = complete[key];
    complete[key] = isObject(base) && isObject(value) ? { ...base, ...value } : value;
  }
  return complete;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
