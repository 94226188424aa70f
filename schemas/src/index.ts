/** Every public data shape: TypeBox schemas with their types. */
export * from "./plugin-manifest.ts";
