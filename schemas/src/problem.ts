import Type from "typebox";
import { Uuid } from "./field.ts";

/** One fault of an input. */
export const Fault = Type.Object({
  path: Type.String({ description: "JSON pointer into the body, or `query/<name>`" }),
  code: Type.String(),
  message: Type.String(),
  slot: Type.Optional(Type.String({ description: "Model slot, such as `fallbackModels[1]`" })),
}, { title: "Fault", description: "One fault of an input" });

/** Every error answer of the management API (RFC 9457). Some codes add members of their own. */
export const Problem = Type.Object({
  type: Type.String({ description: "`/problems/<code>`" }),
  title: Type.String(),
  status: Type.Integer(),
  detail: Type.String(),
  instance: Type.String({ description: "Path of the request" }),
  code: Type.String({ description: "Stable code to branch on" }),
  requestId: Uuid,
  errors: Type.Optional(Type.Array(Fault)),
}, {
  title: "Problem",
  description: "An error answer (RFC 9457); some codes add members of their own",
});
/** See the schema of the same name. */
export type Problem = Type.Static<typeof Problem>;
