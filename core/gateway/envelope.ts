import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import { VmxEnvelope } from "@vmx/schemas";
import type { JsonObject } from "../contract/index.ts";
import { GatewayError } from "../contract/index.ts";
import { nearest } from "../kit/nearest.ts";

/** The caller's wishes to the gateway itself, from the body's `vmx` member and `x-vmx-*` headers. */
export type Envelope = Omit<VmxEnvelope, "metadata" | "providerArgs"> & {
  readonly metadata: Readonly<Record<string, string>>;
  readonly providerArgs?: JsonObject;
};

const maxTimeoutMs = 600_000;
const metadataHeader = "x-vmx-metadata-";
let compiled: ValidateFunction<VmxEnvelope> | undefined;

/** The check of envelopes, compiled when the first request brings one. */
function check(value: unknown): void {
  compiled ??= new Ajv2020().compile<VmxEnvelope>(VmxEnvelope);
  if (!compiled(value)) throw describe(compiled);
}

/**
 * Reads and checks the envelope; the body wins over a header of the same name.
 *
 * Throws `invalid_request` naming the member and the rule.
 */
export function readEnvelope(
  member: unknown,
  headers: Readonly<Record<string, string | undefined>>,
): Envelope {
  if (member !== undefined) check(member);
  const given: VmxEnvelope = member === undefined ? {} : member as VmxEnvelope;
  const fromHeaders = readHeaders(headers);
  const merged: VmxEnvelope = fromHeaders
    ? {
      ...fromHeaders,
      ...given,
      metadata: { ...fromHeaders.metadata, ...given.metadata },
    }
    : given;
  if (fromHeaders) check(merged);
  const { providerArgs, ...rest } = merged;
  if (providerArgs) refuseReserved(providerArgs as JsonObject, "vmx.providerArgs");
  return {
    ...rest,
    metadata: merged.metadata ?? {},
    timeoutMs: Math.min(merged.timeoutMs ?? maxTimeoutMs, maxTimeoutMs),
    ...(providerArgs ? { providerArgs: providerArgs as JsonObject } : {}),
  };
}

/** Members that arguments merged around the body may not set, because the gateway decides them. */
export const reservedArguments = ["model", "stream", "vmx"] as const;

/** Refuses arguments that set what the gateway decides. Throws `invalid_request`. */
export function refuseReserved(args: JsonObject, path: string): void {
  for (const name of reservedArguments) {
    if (Object.hasOwn(args, name)) {
      throw new GatewayError("invalid_request", `${path}.${name} is not allowed`, {
        param: `${path}.${name}`,
      });
    }
  }
}

function readHeaders(
  headers: Readonly<Record<string, string | undefined>>,
): Pick<VmxEnvelope, "correlationId" | "metadata"> | undefined {
  const metadata: Record<string, string> = {};
  let correlationId: string | undefined;
  for (const name in headers) {
    if (!name.startsWith("x-vmx-")) continue;
    const value = headers[name];
    if (value === undefined) continue;
    if (name === "x-vmx-correlation-id") correlationId = value;
    else if (name.startsWith(metadataHeader)) metadata[name.slice(metadataHeader.length)] = value;
  }
  if (correlationId === undefined && Object.keys(metadata).length === 0) return undefined;
  return correlationId === undefined ? { metadata } : { correlationId, metadata };
}

function describe(validate: ValidateFunction): GatewayError {
  const fault = validate.errors![0]!;
  const place = fault.instancePath.slice(1).replaceAll("/", ".");
  const extra = fault.params["additionalProperty"] ?? fault.params["propertyName"];
  const param = ["vmx", place, extra].filter(Boolean).join(".");
  const meant = place === "" && nearest(String(extra), Object.keys(VmxEnvelope.properties));
  const rule = fault.keyword === "additionalProperties"
    ? `is not known${meant ? `; did you mean vmx.${meant}?` : ""}`
    : fault.message;
  return new GatewayError("invalid_request", `${param} ${rule}`, { param });
}
