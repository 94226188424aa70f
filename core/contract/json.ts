/** Any JSON value. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;

/** A JSON object; a member set to `undefined` counts as absent. */
export interface JsonObject {
  readonly [name: string]: Json | undefined;
}
