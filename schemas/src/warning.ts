import Type from "typebox";
import { closed } from "./field.ts";

/** A note that something could not be translated exactly. */
export const Warning = Type.Object({
  code: Type.String({
    minLength: 1,
    description: "Stable name of the loss, such as `parameter_dropped`",
  }),
  path: Type.String({ description: "JSON pointer into the caller's body or into the answer" }),
  action: Type.Enum(["dropped", "approximated", "synthesized"]),
  detail: Type.Optional(Type.String()),
}, {
  ...closed,
  title: "Warning",
  description: "Something could not be translated exactly",
});
/** See the schema of the same name. */
export type Warning = Type.Static<typeof Warning>;
