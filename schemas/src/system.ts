import Type from "typebox";
import { closed, Timestamp } from "./field.ts";

/** The gateway as a whole. */
export const System = Type.Object({
  version: Type.String(),
  revision: Type.Integer({ description: "Configuration revision this process serves" }),
  uptimeSeconds: Type.Number(),
  runtime: Type.String({ description: "Such as `node 24.1.0`" }),
  dependencies: Type.Array(Type.Object({
    name: Type.String(),
    state: Type.Enum(["ok", "away"]),
    latencyMs: Type.Optional(Type.Number()),
  }, closed)),
  oidc: Type.Object({
    enabled: Type.Boolean(),
    label: Type.Optional(Type.String()),
    state: Type.Optional(Type.Enum(["ok", "away"])),
    since: Type.Optional(Timestamp),
    error: Type.Optional(Type.String({ description: "Why the identity provider is away" })),
  }, { ...closed, description: "Federated login" }),
}, { ...closed, title: "System", description: "The gateway as a whole" });
/** See the schema of the same name. */
export type System = Type.Static<typeof System>;
