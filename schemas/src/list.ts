import Type from "typebox";
import { closed, nullable } from "./field.ts";

/** A whole list. */
export function listOf<Item extends Type.TSchema>(item: Item) {
  return Type.Object({ data: Type.Array(item) }, closed);
}

/** One page of a list that can grow. */
export function pageOf<Item extends Type.TSchema>(item: Item) {
  return Type.Object({
    data: Type.Array(item),
    nextCursor: nullable(Type.String({ description: "Cursor of the next page; null at the end" })),
  }, closed);
}

/** Query of a list that can grow. */
export const pageQuery = {
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500, default: 50 })),
  cursor: Type.Optional(Type.String({
    minLength: 1,
    maxLength: 500,
    description: "`nextCursor` of the page before",
  })),
};

/** Query of a list of named objects. */
export const nameQuery = {
  name: Type.Optional(Type.String({
    maxLength: 128,
    description: "Only the object of exactly this name, ignoring letter case",
  })),
};

/** Query of answers that can name their users. */
export const usersQuery = {
  includesUsers: Type.Optional(Type.Boolean({
    description: "Adds `createdByUser` and `updatedByUser`",
  })),
};
