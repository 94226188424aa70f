import Type from "typebox";
import { closed } from "./field.ts";

const pattern = Type.String({ minLength: 1, maxLength: 512, pattern: "^[^\\p{Cc}]+$" });

/** One statement of a policy. */
export const PolicyStatement = Type.Object({
  effect: Type.String({
    pattern: "^([Aa][Ll][Ll][Oo][Ww]|[Dd][Ee][Nn][Yy])$",
    description: "`allow` or `deny`, in any case; stored in lower case",
  }),
  actions: Type.Array(pattern, {
    minItems: 1,
    maxItems: 50,
    description: "Patterns of `module:operation`; `*` is any run of characters, `?` one",
  }),
  resources: Type.Array(pattern, {
    minItems: 1,
    maxItems: 50,
    description: "Patterns of resource strings, such as `workspace:prod:*`",
  }),
}, { ...closed, title: "PolicyStatement", description: "One statement of a policy" });

/** What may be done to what. Deny wins; order does not matter; what no statement allows is refused. */
export const Policy = Type.Object({
  statements: Type.Array(PolicyStatement, { minItems: 1, maxItems: 100 }),
}, {
  ...closed,
  title: "Policy",
  description: "Statements that allow or deny actions on resources; deny wins",
});
/** See the schema of the same name. */
export type Policy = Type.Static<typeof Policy>;
