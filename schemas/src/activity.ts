import Type from "typebox";
import { closed, nullable, Timestamp, Uuid } from "./field.ts";

/** One line of the activity trail. */
export const Activity = Type.Object({
  revision: Type.Integer({ description: "Configuration revision; 0 for what changed nothing" }),
  at: Timestamp,
  actor: Type.Object({
    userId: nullable(Uuid),
    tokenId: Type.Optional(Uuid),
    via: Type.Enum(["console", "api", "apply", "bootstrap"]),
  }, closed),
  action: Type.String({ description: "Such as `ai-connection:update`" }),
  entity: Type.Object({ type: Type.String(), id: Type.String(), name: Type.String() }, closed),
  workspaceId: nullable(Uuid),
  environmentId: nullable(Uuid),
  diff: Type.Array(Type.Unknown(), { description: "JSON patch with masked secrets" }),
  requestId: nullable(Type.String()),
  sourceIp: nullable(Type.String()),
}, { ...closed, title: "Activity", description: "One line of the activity trail" });
/** See the schema of the same name. */
export type Activity = Type.Static<typeof Activity>;
