import Type from "typebox";

const text = Type.String({ minLength: 1, maxLength: 128 });

/** The `vmx` object of a completion request (completion API, "The vmx envelope"). */
export const VmxEnvelope = Type.Object({
  correlationId: Type.Optional(text),
  metadata: Type.Optional(Type.Record(
    Type.String({ pattern: "^[A-Za-z0-9_.-]{1,64}$" }),
    Type.String({ maxLength: 512 }),
    { maxProperties: 32, additionalProperties: false },
  )),
  timeoutMs: Type.Optional(Type.Integer({
    minimum: 1,
    description: "Deadline in milliseconds over all legs; values above 600000 are clamped",
  })),
  providerArgs: Type.Optional(Type.Object({}, {
    additionalProperties: true,
    description: "Merged last into each leg's outbound body",
  })),
  secondaryModelIndex: Type.Optional(Type.Integer({ minimum: 0 })),
  resourceConfigOverrides: Type.Optional(Type.Object({}, { additionalProperties: true })),
  includeMetrics: Type.Optional(Type.Boolean()),
}, { $id: "VmxEnvelope", additionalProperties: false });

/** Static type of `VmxEnvelope`. */
export type VmxEnvelope = Type.Static<typeof VmxEnvelope>;
