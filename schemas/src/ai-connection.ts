import Type from "typebox";
import { CapacityList } from "./capacity.ts";
import {
  AnyObject,
  closed,
  Description,
  nullable,
  patchOf,
  Timestamp,
  trackedFields,
  Uuid,
} from "./field.ts";

/** Name of a connection: like any name, but without a slash. */
export const AiConnectionName = Type.String({
  minLength: 1,
  maxLength: 128,
  pattern: "^[^\\S\\p{Cc}]*[^\\s\\p{Cc}/][^\\p{Cc}/]*$",
  description: "1 to 128 characters without control characters and slashes",
});

/** The result of a connection's last test. */
export const ConnectionTestSummary = Type.Object({
  at: Timestamp,
  ok: Type.Boolean(),
  latencyMs: Type.Number(),
  message: Type.Optional(Type.String()),
}, closed);

/** A model whose legs are left out because it keeps failing. */
export const ConnectionCircuit = Type.Object({
  state: Type.Enum(["open", "probing"], {
    description: "open: legs are skipped; probing: one call finds out whether it works again",
  }),
  since: Timestamp,
  until: Timestamp,
}, {
  ...closed,
  title: "ConnectionCircuit",
  description: "A model whose legs are left out because it keeps failing",
});
/** See the schema of the same name. */
export type ConnectionCircuit = Type.Static<typeof ConnectionCircuit>;

/** A provider with credentials, capacity and allowed models. Secrets read as asterisks. */
export const AiConnection = Type.Object({
  connectionId: Uuid,
  workspaceId: Uuid,
  environmentId: Uuid,
  name: Type.String(),
  description: nullable(Type.String()),
  provider: Type.String({ description: "Canonical provider id" }),
  config: AnyObject,
  allowedModels: Type.Array(Type.String(), { description: "Empty means every model" }),
  capacity: CapacityList,
  enabled: Type.Boolean(),
  discoveredCapacity: nullable(AnyObject),
  lastTest: nullable(ConnectionTestSummary),
  circuits: Type.Record(Type.String(), ConnectionCircuit, {
    description: "Models that keep failing, as the answering process knows it",
  }),
  ...trackedFields,
}, {
  ...closed,
  title: "AiConnection",
  description: "A provider with credentials, capacity and allowed models",
});
/** See the schema of the same name. */
export type AiConnection = Type.Static<typeof AiConnection>;

const provider = Type.String({ minLength: 1, maxLength: 64, description: "Provider id or alias" });

/** Body that creates a connection. */
export const AiConnectionCreate = Type.Object({
  name: AiConnectionName,
  description: Type.Optional(nullable(Description)),
  provider,
  config: Type.Optional(AnyObject),
  capacity: Type.Optional(CapacityList),
  allowedModels: Type.Optional(nullable(
    Type.Array(Type.String({ minLength: 1, maxLength: 256 }), {
      maxItems: 1000,
      description:
        "Models that may be called; entries may hold `*` and `?`; empty means every model",
    }),
  )),
  enabled: Type.Optional(Type.Boolean({ default: true })),
}, { ...closed, title: "AiConnectionCreate", description: "A new connection" });
/** See the schema of the same name. */
export type AiConnectionCreate = Type.Static<typeof AiConnectionCreate>;

/** Body that changes a connection. A secret that is absent or only asterisks stays as stored. */
export const AiConnectionPatch = patchOf(
  AiConnectionCreate,
  {
    title: "AiConnectionPatch",
    description:
      "Changes of a connection; a secret that is absent or only asterisks stays as stored",
  },
);
/** See the schema of the same name. */
export type AiConnectionPatch = Type.Static<typeof AiConnectionPatch>;

/** Body that tests a configuration before it is saved. */
export const AiConnectionTestRequest = Type.Object({
  provider,
  config: Type.Optional(AnyObject),
  model: Type.Optional(Type.String({
    minLength: 1,
    maxLength: 256,
    description: "Makes a call of one output token to this model as well",
  })),
}, { ...closed, title: "AiConnectionTestRequest", description: "A configuration to test" });
/** See the schema of the same name. */
export type AiConnectionTestRequest = Type.Static<typeof AiConnectionTestRequest>;

/** Body that tests a saved connection, with changes that are not saved. */
export const SavedConnectionTestRequest = Type.Object({
  provider: Type.Optional(provider),
  config: Type.Optional(AnyObject),
  model: AiConnectionTestRequest.properties.model,
}, {
  ...closed,
  title: "SavedConnectionTestRequest",
  description: "Unsaved changes to test with; secrets that are not sent are the stored ones",
});
/** See the schema of the same name. */
export type SavedConnectionTestRequest = Type.Static<typeof SavedConnectionTestRequest>;

/** The result of a connection test. */
export const ConnectionTestResult = Type.Object({
  ok: Type.Boolean(),
  latencyMs: Type.Number(),
  modelsFound: nullable(Type.Integer({ description: "Null when the provider lists no models" })),
  discovered: Type.Optional(AnyObject),
  message: Type.Optional(Type.String()),
  upstreamStatus: Type.Optional(Type.Integer()),
}, { ...closed, title: "ConnectionTestResult", description: "The result of a connection test" });
/** See the schema of the same name. */
export type ConnectionTestResult = Type.Static<typeof ConnectionTestResult>;

/** Where a connection is used. */
export const ConnectionReference = Type.Object({
  resourceId: Uuid,
  resourceName: Type.String(),
  slot: Type.String({ description: "Such as `model` or `fallbackModels[1]`" }),
}, { ...closed, title: "ConnectionReference", description: "Where a connection is used" });
/** See the schema of the same name. */
export type ConnectionReference = Type.Static<typeof ConnectionReference>;

/** Models of a connection. */
export const ConnectionModels = Type.Object({
  data: Type.Array(Type.Object({ id: Type.String(), allowed: Type.Boolean() }, closed)),
  source: Type.Enum(["provider", "allowedModels"]),
}, { ...closed, title: "ConnectionModels", description: "Models of a connection" });
/** See the schema of the same name. */
export type ConnectionModels = Type.Static<typeof ConnectionModels>;
