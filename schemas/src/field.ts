import Type from "typebox";

/** Options of an object that refuses members it does not know. */
export const closed = { additionalProperties: false } as const;

/** A UUID in lower-case text. */
export const Uuid = Type.String({
  format: "uuid",
  pattern: "^[0-9a-f-]{36}$",
  description: "A UUID in lower case",
});

/** A moment: RFC 3339 in UTC with milliseconds. */
export const Timestamp = Type.String({ format: "date-time", description: "RFC 3339, UTC" });

/** A name of an object: trimmed, 1 to 128 characters, no control characters. */
export const Name = Type.String({
  minLength: 1,
  maxLength: 128,
  pattern: "^[^\\S\\p{Cc}]*[^\\s\\p{Cc}][^\\p{Cc}]*$",
  description:
    "1 to 128 characters without control characters; surrounding space is removed; unique ignoring letter case",
});

/** A longer text about an object. */
export const Description = Type.String({
  maxLength: 2000,
  description: "A text of at most 2000 characters",
});

/** A short line of text, such as a person's name. */
export const Line = Type.String({ maxLength: 200, pattern: "^[^\\p{Cc}]*$" });

/** Any JSON object. */
export const AnyObject = Type.Unsafe<Record<string, unknown>>({
  type: "object",
  additionalProperties: true,
});

/** The value, or null. */
export function nullable<Schema extends Type.TSchema>(
  schema: Schema,
): Type.TUnion<[Schema, Type.TNull]> {
  return Type.Union([schema, Type.Null()]);
}

/** Who changed an object, as shown with `includesUsers=true`. */
export const UserSummary = Type.Object({
  userId: Uuid,
  name: Type.String(),
  email: Type.String(),
  pictureUrl: nullable(Type.String()),
}, { ...closed, title: "UserSummary", description: "The short form of a user" });
/** See the schema of the same name. */
export type UserSummary = Type.Static<typeof UserSummary>;

/** Members every configuration object answers. */
export const trackedFields = {
  version: Type.Integer({
    minimum: 1,
    description: "Grows by one per change; the value of the ETag",
  }),
  createdAt: Timestamp,
  updatedAt: Timestamp,
  createdBy: nullable(Uuid),
  updatedBy: nullable(Uuid),
  managedBy: nullable(Type.String({
    description: "Label of the configuration document that owns the object",
  })),
  createdByUser: Type.Optional(nullable(UserSummary)),
  updatedByUser: Type.Optional(nullable(UserSummary)),
};

/** Type of a merge patch for objects of the given type. */
export type PatchStatic<Value> = {
  [Key in keyof Value]?: undefined extends Value[Key] ? Value[Key] | null : Value[Key];
};

/**
 * The JSON merge patch (RFC 7396) that fits a creation body: every member may be absent, and members that are
 * optional at creation may be null, which clears them.
 */
export function patchOf<Properties extends Type.TProperties>(
  schema: Type.TObject<Properties>,
  options: { readonly title?: string; readonly description?: string } = {},
): Type.TUnsafe<PatchStatic<Type.Static<Type.TObject<Properties>>>> {
  const properties = Object.fromEntries(
    Object.entries(schema.properties).map(([name, property]) => [
      name,
      Type.IsOptional(property) && !admitsNull(property) ? nullable(property) : property,
    ]),
  );
  return Type.Unsafe({ type: "object", properties, additionalProperties: false, ...options });
}

function admitsNull(schema: Type.TSchema): boolean {
  return Type.IsUnion(schema) && schema.anyOf.some((branch) => Type.IsNull(branch));
}
