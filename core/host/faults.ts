import type { ErrorObject } from "ajv";
import type { Fault } from "../contract/index.ts";

/** Turns a validator's errors into faults: JSON pointer, broken rule, sentence. Values are never repeated. */
export function faultsOf(errors: readonly ErrorObject[] | null | undefined): Fault[] {
  const faults = new Map<string, Fault>();
  for (const error of errors ?? []) {
    // The rule inside `propertyNames` says less than the `propertyNames` error that follows it.
    if (error.propertyName !== undefined && error.keyword !== "propertyNames") continue;
    const fault = describe(error);
    faults.set(`${fault.path} ${fault.message}`, fault);
  }
  return [...faults.values()];
}

/** Writes a JSON pointer the way people write paths: `/contributes/providers/0/id` -> `contributes.providers[0].id`. */
export function dottedPath(pointer: string): string {
  return pointer.split("/").slice(1)
    .map((token) => token.replaceAll("~1", "/").replaceAll("~0", "~"))
    .map((token, index) => /^\d+$/.test(token) ? `[${token}]` : index === 0 ? token : `.${token}`)
    .join("");
}

/** Faults as one sentence: `apiKey is required; baseUrl must be a uri`. */
export function faultSentence(faults: readonly Fault[]): string {
  return faults.map((fault) => `${dottedPath(fault.path)} ${fault.message}`.trim()).join("; ");
}

function describe(error: ErrorObject): Fault {
  const { keyword, instancePath } = error;
  const params = error.params as Record<string, unknown>;
  const at = (name: unknown) =>
    `${instancePath}/${String(name).replaceAll("~", "~0").replaceAll("/", "~1")}`;
  switch (keyword) {
    case "required":
      return { path: at(params.missingProperty), code: keyword, message: "is required" };
    case "additionalProperties":
      return { path: at(params.additionalProperty), code: keyword, message: "is not known here" };
    case "propertyNames":
      return { path: at(params.propertyName), code: keyword, message: "is not an allowed name" };
    case "enum": {
      const allowed = (params.allowedValues as unknown[]).join(", ");
      return { path: instancePath, code: keyword, message: `must be one of ${allowed}` };
    }
    case "format":
      return { path: instancePath, code: keyword, message: `must be a valid ${params.format}` };
    case "pattern":
      return { path: instancePath, code: keyword, message: `must match ${params.pattern}` };
    case "type":
      return { path: instancePath, code: keyword, message: `must be of type ${params.type}` };
    default:
      return { path: instancePath, code: keyword, message: error.message ?? "is not valid" };
  }
}
