import Type from "typebox";
import { closed, Name, nullable, Timestamp, Uuid } from "./field.ts";
import { Policy } from "./policy.ts";

const fields = {
  tokenId: Uuid,
  userId: Uuid,
  name: Type.String(),
  prefix: Type.String(),
  maskedToken: Type.String(),
  expiresAt: nullable(Timestamp),
  policy: nullable(Policy),
  lastUsedAt: nullable(Timestamp),
  createdAt: Timestamp,
};

/** A personal access token without its value. */
export const Token = Type.Object(fields, {
  ...closed,
  title: "Token",
  description: "A personal access token without its value",
});
/** See the schema of the same name. */
export type Token = Type.Static<typeof Token>;

/** A personal access token with its value, which is shown once. */
export const TokenCreated = Type.Object({
  ...fields,
  token: Type.String({ description: "The token; it cannot be read again" }),
}, { ...closed, title: "TokenCreated", description: "A new personal access token with its value" });
/** See the schema of the same name. */
export type TokenCreated = Type.Static<typeof TokenCreated>;

/** Body that creates a personal access token. */
export const TokenCreate = Type.Object({
  name: Name,
  expiresAt: Type.Optional(nullable(Timestamp)),
  policy: Type.Optional(nullable(Policy)),
}, {
  ...closed,
  title: "TokenCreate",
  description: "A new personal access token; without a policy it may do all its user may",
});
/** See the schema of the same name. */
export type TokenCreate = Type.Static<typeof TokenCreate>;
