/** A note that something could not be translated exactly. */
export interface Warning {
  /** Stable name of the loss, such as `parameter_dropped`. */
  readonly code: string;
  /** JSON pointer into the caller's body or into the answer. */
  readonly path: string;
  readonly action: "dropped" | "approximated" | "synthesized";
  readonly detail?: string;
}

/** A translated value with what was lost on the way. */
export interface Translated<Value> {
  readonly value: Value;
  readonly warnings: readonly Warning[];
}
