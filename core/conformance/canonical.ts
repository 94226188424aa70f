import { ok } from "node:assert/strict";
import { Ajv2020, type ErrorObject, type ValidateFunction } from "ajv/dist/2020.js";
import callSchema from "@vmx/schemas/json/call.schema.json" with { type: "json" };
import partSchema from "@vmx/schemas/json/part.schema.json" with { type: "json" };
import streamPartSchema from "@vmx/schemas/json/stream-part.schema.json" with { type: "json" };
import warningSchema from "@vmx/schemas/json/warning.schema.json" with { type: "json" };
import type { Dialect, StreamEncoder } from "../contract/dialect.ts";
import type { StreamPart } from "../contract/part.ts";
import type { Translated } from "../contract/warning.ts";

const schemas = {
  Call: callSchema,
  Part: partSchema,
  StreamPart: streamPartSchema,
  Warning: warningSchema,
};
const compiled = new Map<keyof typeof schemas, ValidateFunction>();

/** The dialect, held to the published schemas of whatever passes between it and the canonical middle. */
export function withCanonicalChecks(dialect: Dialect): Dialect {
  const checked: Partial<Dialect> = {
    decodeRequest(body, operation) {
      const translated = dialect.decodeRequest(body, operation);
      check("Call", translated.value);
      return checkWarnings(translated);
    },
    encodeRequest(call, options) {
      check("Call", call);
      return checkWarnings(dialect.encodeRequest(call, options));
    },
    decodeResponse(body, operation, options) {
      const translated = dialect.decodeResponse(body, operation, options);
      for (const part of translated.value) check("Part", part);
      return checkWarnings(translated);
    },
    encodeResponse(parts, context) {
      for (const part of parts) check("Part", part);
      return checkWarnings(dialect.encodeResponse(parts, context));
    },
    streamDecoder(options) {
      const decoder = dialect.streamDecoder(options);
      return {
        push: (frame) => checkStream(decoder.push(frame)),
        end: () => checkStream(decoder.end()),
        get warnings() {
          return checkWarnings({ value: undefined, warnings: decoder.warnings ?? [] }).warnings;
        },
      };
    },
    streamEncoder(context) {
      const encoder = dialect.streamEncoder(context);
      const push: StreamEncoder["push"] = (part) => {
        check("StreamPart", part);
        return encoder.push(part);
      };
      return Object.assign(Object.create(encoder) as StreamEncoder, { push });
    },
  };
  // Delegation, not a copy: a dialect may be an object whose functions need their own `this`.
  return Object.assign(Object.create(dialect) as Dialect, checked);
}

function checkStream(parts: readonly StreamPart[]): readonly StreamPart[] {
  for (const part of parts) check("StreamPart", part);
  return parts;
}

function checkWarnings<Value extends Translated<unknown>>(translated: Value): Value {
  for (const warning of translated.warnings) check("Warning", warning);
  return translated;
}

function check(name: keyof typeof schemas, value: unknown): void {
  let validate = compiled.get(name);
  if (!validate) {
    validate = new Ajv2020({ strict: false, allErrors: true }).compile(schemas[name]);
    compiled.set(name, validate);
  }
  if (validate(value)) return;
  ok(false, `${JSON.stringify(value)} is no ${name}: ${describe(validate.errors!)}`);
}

/** The faults of the variant that was meant; those of variants with another tag only distract. */
function describe(errors: readonly ErrorObject[]): string {
  const others = errors.flatMap(({ schemaPath }) =>
    /^(.*\/)properties\/(type|kind)\/(const|enum)$/.exec(schemaPath)?.[1] ?? []
  );
  const meant = errors.filter(({ keyword, schemaPath }) =>
    keyword !== "anyOf" && !others.some((variant) => schemaPath.startsWith(variant))
  );
  return (meant.length > 0 ? meant : errors)
    .map(({ instancePath, message, params }) =>
      `${instancePath || "/"} ${message} ${JSON.stringify(params)}`
    )
    .join("; ");
}
