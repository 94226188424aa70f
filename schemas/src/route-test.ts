import Type from "typebox";
import { AiResourcePatch } from "./ai-resource.ts";
import { AnyObject, closed, nullable, Timestamp, Uuid } from "./field.ts";
import { RoutingTrace } from "./routing-trace.ts";
import { Warning } from "./warning.ts";

const readOnly = [
  "resourceId",
  "workspaceId",
  "environmentId",
  "version",
  "createdAt",
  "updatedAt",
  "createdBy",
  "updatedBy",
  "managedBy",
  "createdByUser",
  "updatedByUser",
];

const { properties } = AiResourcePatch as unknown as { properties: Type.TProperties };

/** An edit of a resource that is not saved; what only answers hold may stand in it. */
export const RouteTestResource = Type.Unsafe<AiResourcePatch>({
  type: "object",
  properties: {
    ...properties,
    ...Object.fromEntries(
      readOnly.map((name) => [name, Type.Unknown({ description: "Taken no notice of" })]),
    ),
  },
  additionalProperties: false,
  title: "RouteTestResource",
  description:
    "An edit that is not saved, merged over the stored resource as a PATCH is; a draft's whole configuration",
});
/** See the schema of the same name. */
export type RouteTestResource = Type.Static<typeof RouteTestResource>;

/** What a dry run lays down instead of chance and life. */
export const RouteTestAssumptions = Type.Object({
  errorRate: Type.Optional(Type.Number({ minimum: 0, maximum: 100 })),
  capacityUsage: Type.Optional(nullable(AnyObject)),
  latency: Type.Optional(nullable(Type.Number({ minimum: 0, description: "Milliseconds" }))),
  now: Type.Optional(Timestamp),
  draws: Type.Optional(Type.Record(
    Type.String(),
    Type.Number({ minimum: 0, maximum: 100 }),
    { description: "The number drawn for a route, by its id" },
  )),
}, {
  ...closed,
  title: "RouteTestAssumptions",
  description: "Values that rules meet in place of the real ones",
});
/** See the schema of the same name. */
export type RouteTestAssumptions = Type.Static<typeof RouteTestAssumptions>;

/** Body of a dry run. */
export const RouteTestRequest = Type.Object({
  auditRequestId: Type.Optional(Type.Unsafe<string>({
    ...Uuid,
    description:
      "A stored request: whatever is left out here is taken from it, body and dialect, metadata, API key, " +
      "source address, the time and the numbers drawn. Needs `audit:read-payload`",
  })),
  dialect: Type.Optional(Type.String({
    minLength: 1,
    maxLength: 64,
    description: "Id of the dialect the body is written in; needed without `auditRequestId`",
  })),
  operation: Type.Optional(Type.Enum(["chat", "embeddings"], { default: "chat" })),
  body: Type.Optional(Type.Unsafe<Record<string, unknown>>({
    ...AnyObject,
    description: "A request body; `model` may be left out and is always the resource's name. " +
      "Needed without `auditRequestId`",
  })),
  headers: Type.Optional(Type.Record(
    Type.String({ minLength: 1, maxLength: 128 }),
    Type.String({ maxLength: 8192 }),
    { description: "Request headers, such as `x-vmx-metadata-tier`" },
  )),
  apiKeyId: Type.Optional(Uuid),
  sourceIp: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
  resource: Type.Optional(RouteTestResource),
  assume: Type.Optional(RouteTestAssumptions),
  evaluateAll: Type.Optional(Type.Boolean({
    description: "Evaluates every condition of every route; the decision stays the same",
  })),
}, {
  ...closed,
  title: "RouteTestRequest",
  description:
    "A request whose way is to be told without calling a provider. The API key of `apiKeyId` asks it, " +
    "without one whoever asks for the dry run",
});
/** See the schema of the same name. */
export type RouteTestRequest = Type.Static<typeof RouteTestRequest>;

/** What a limit would say to a leg. */
export const RouteTestGate = Type.Object({
  level: Type.String(),
  subjectName: Type.String(),
  period: Type.String(),
  limit: Type.Number(),
  used: Type.Number(),
  requested: Type.Number(),
  remaining: Type.Number(),
  wouldPass: Type.Boolean(),
}, { ...closed, title: "RouteTestGate", description: "What a limit would say to a leg" });
/** See the schema of the same name. */
export type RouteTestGate = Type.Static<typeof RouteTestGate>;

/** A leg that would be tried. */
export const RouteTestLeg = Type.Object({
  position: Type.Integer({ minimum: 0 }),
  kind: Type.Enum(["primary", "secondary", "route", "fallback"]),
  connectionId: Type.String(),
  connectionName: nullable(Type.String({ description: "Null: the connection does not exist" })),
  provider: Type.String(),
  model: Type.String(),
  allowed: Type.Boolean({ description: "False: the leg would fail before its provider is called" }),
  refusal: Type.Optional(Type.Object({
    reason: Type.String({ description: "As in fallback events, such as `Model not allowed`" }),
    code: Type.String(),
    message: Type.String(),
  }, { ...closed, description: "Why the leg is not allowed" })),
  circuit: Type.Enum(["closed", "open", "probing"]),
  warnings: Type.Array(Warning),
  maxRetries: Type.Integer(),
  timeoutMs: nullable(Type.Integer()),
  gates: Type.Array(RouteTestGate),
}, { ...closed, title: "RouteTestLeg", description: "A leg that would be tried" });
/** See the schema of the same name. */
export type RouteTestLeg = Type.Static<typeof RouteTestLeg>;

const refusal = Type.Object({
  code: Type.String(),
  message: Type.String(),
  param: Type.Optional(Type.String()),
}, closed);

/** Answer of a dry run. */
export const RouteTestResult = Type.Object({
  trace: RoutingTrace,
  chain: Type.Array(RouteTestLeg, { description: "Legs in the order they would be tried" }),
  mergedBody: AnyObject,
  estimate: Type.Object({
    inputTokens: Type.Integer(),
    expectedOutputTokens: Type.Integer(),
  }, closed),
  blocked: Type.Optional(Type.Object({
    routeId: Type.String(),
    message: Type.String({ description: "What the caller would read" }),
  }, closed)),
  errors: Type.Array(refusal, { description: "What the caller would be refused for" }),
}, { ...closed, title: "RouteTestResult", description: "What would happen to a request" });
/** See the schema of the same name. */
export type RouteTestResult = Type.Static<typeof RouteTestResult>;

/** Query of a resource's error rate. */
export const errorRateQuery = {
  connectionId: Type.Optional(Uuid),
  model: Type.Optional(Type.String({ minLength: 1, maxLength: 256 })),
  window: Type.Optional(Type.Integer({
    minimum: 1,
    maximum: 180,
    default: 10,
    description: "Minutes, the present one included",
  })),
  statusCode: Type.Optional(Type.String({
    pattern: "^(any|[1-5][0-9][0-9])$",
    default: "any",
    description: "The only status that counts as failed; `any`: 400 and above",
  })),
};

/** How often the legs of a resource failed. */
export const ErrorRate = Type.Object({
  errorRate: Type.Number({ description: "Percent; 0 without samples" }),
  totalSuccess: Type.Integer(),
  totalFailed: Type.Integer(),
  totalRequests: Type.Integer(),
}, { ...closed, title: "ErrorRate", description: "How often the legs of a resource failed" });
/** See the schema of the same name. */
export type ErrorRate = Type.Static<typeof ErrorRate>;
