import Type from "typebox";
import { closed, nullable, Uuid } from "./field.ts";

const model = Type.String({
  minLength: 1,
  maxLength: 256,
  pattern: "^[^\\p{Cc}]+$",
  description: "Sent to the provider as written",
});
const maxRetries = Type.Integer({ minimum: 0, maximum: 10, default: 0 });
const timeoutMs = nullable(Type.Integer({
  minimum: 100,
  maximum: 600_000,
  description: "Milliseconds for the whole leg; null for no limit of its own",
}));

const firstTokenTimeoutMs = Type.Optional(nullable(Type.Integer({
  minimum: 100,
  maximum: 600_000,
  description: "Milliseconds from a call to its first content; absent for no limit of its own",
})));
const idleTimeoutMs = Type.Optional(nullable(Type.Integer({
  minimum: 100,
  maximum: 600_000,
  description: "Milliseconds without a byte from the provider; absent for the gateway's own",
})));

/** A model slot as stored. */
export const ModelSlot = Type.Object({
  connectionId: Uuid,
  provider: Type.String(),
  model: Type.String(),
  maxRetries,
  timeoutMs,
  firstTokenTimeoutMs,
  idleTimeoutMs,
}, { ...closed, title: "ModelSlot", description: "A connection, a model and the tuning of a leg" });
/** See the schema of the same name. */
export type ModelSlot = Type.Static<typeof ModelSlot>;

/** A model slot as sent: the connection by id or by name. The id wins when both are sent. */
export const ModelSlotInput = Type.Object({
  provider: Type.Optional(Type.String({
    minLength: 1,
    maxLength: 64,
    description: "May be left out; must be the connection's provider",
  })),
  model,
  connectionId: Type.Optional(Uuid),
  connectionName: Type.Optional(Type.String({ minLength: 1, maxLength: 128 })),
  maxRetries: Type.Optional(maxRetries),
  timeoutMs: Type.Optional(timeoutMs),
  firstTokenTimeoutMs,
  idleTimeoutMs,
}, {
  ...closed,
  title: "ModelSlotInput",
  description: "A model slot; the connection is named by id or by name",
});
/** See the schema of the same name. */
export type ModelSlotInput = Type.Static<typeof ModelSlotInput>;
