import { Ajv2020, type ErrorObject, type ValidateFunction } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import type { TSchema } from "typebox";
import { type ErrorCode, type Fault, GatewayError } from "../contract/errors.ts";
import { faultsOf } from "../host/faults.ts";

const mostFaults = 50;

/** Checks bodies and queries against their schemas. */
export interface Validation {
  /** Throws `VALIDATION_FAILED`, or the given code, with one fault per broken rule. */
  body(schema: TSchema, value: unknown, code?: ErrorCode): void;
  /** Reads texts as numbers and booleans where the schema wants them. Throws `VALIDATION_FAILED`. */
  query(schema: TSchema, value: Record<string, unknown>): Record<string, unknown>;
}

/** Compiles every schema at its first use. */
export function createValidation(): Validation {
  const bodies = compiler(false);
  const queries = compiler("array");
  return {
    body(schema, value, code) {
      const validate = bodies(schema);
      if (!validate(value)) fail("body", readable(validate.errors ?? []), code);
    },
    query(schema, value) {
      const validate = queries(schema);
      if (validate(value)) return value;
      fail(
        "query",
        readable(validate.errors ?? []).map((fault) => ({
          ...fault,
          path: `query${fault.path}`,
        })),
      );
    },
  };
}

function compiler(coerceTypes: false | "array"): (schema: TSchema) => ValidateFunction {
  const ajv = new Ajv2020({ allErrors: true, strict: false, verbose: true, coerceTypes });
  addFormats.default(ajv);
  const compiled = new WeakMap<TSchema, ValidateFunction>();
  return (schema) => {
    let validate = compiled.get(schema);
    if (!validate) compiled.set(schema, validate = ajv.compile(schema));
    return validate;
  };
}

/** Leaves out what a union with null adds: people need the rule of the other branch only. */
function readable(errors: readonly ErrorObject[]): Fault[] {
  const useful = errors.filter((error) => {
    if (error.keyword === "anyOf") {
      return !errors.some((other) => other.schemaPath.startsWith(`${error.schemaPath}/`));
    }
    return !(error.keyword === "type" && error.schema === "null" &&
      /\/anyOf\/\d+\/type$/.test(error.schemaPath));
  });
  return useful.slice(0, mostFaults).flatMap((error) => faultsOf([withHint(error)]));
}

// The rule "at least 1" leaves people asking how to switch a limit off; the schema's description tells.
function withHint(error: ErrorObject): ErrorObject {
  const hint: unknown = error.parentSchema?.["description"];
  const named = error.keyword === "minimum" || error.keyword === "pattern";
  if (!named || typeof hint !== "string") return error;
  return error.keyword === "pattern"
    ? { ...error, keyword: "rule", message: `must be: ${hint}` }
    : { ...error, message: `${error.message} (${hint})` };
}

function fail(
  what: "body" | "query",
  faults: readonly Fault[],
  code: ErrorCode = "VALIDATION_FAILED",
): never {
  const [first] = faults;
  const where = first?.path ? `${first.path.replace(/^\//, "")} ` : "it ";
  throw new GatewayError(
    code,
    `Cannot accept the ${what}: ${where}${first?.message ?? "is not valid"}`,
    { faults },
  );
}
