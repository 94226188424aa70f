import type { Json } from "../contract/json.ts";

/** What a service takes of JSON Schema. */
export interface SchemaTarget {
  /** Keywords that may stay, `type`, `properties`, `items` and their like included. */
  readonly keywords: ReadonlySet<string>;
  /** Formats each type may have; absent means every format stays. */
  readonly formats?: Readonly<Record<string, readonly string[]>>;
  /** How null is allowed beside other values: `nullable: true`, a list of types, or a branch of `anyOf`. */
  readonly nullable: "nullable" | "type-list" | "any-of";
  /** Whether a value may stand in an `enum`; absent means any may. */
  readonly takesEnumValue?: (value: Json) => boolean;
  /** Type given to the elements of arrays that name none; absent means they need none. */
  readonly itemsType?: string;
  /** How often a recursive reference is unrolled; 5 when absent. */
  readonly maxRecursion?: number;
}
