import Type from "typebox";
import { AnyObject, closed, nullable } from "./field.ts";

/** A provider that connections can use. */
export const ProviderDescriptor = Type.Object({
  id: Type.String(),
  aliases: Type.Array(Type.String()),
  name: Type.String(),
  description: Type.String(),
  logoUrl: nullable(Type.String()),
  defaultModel: nullable(Type.String()),
  operations: Type.Array(Type.String()),
  nativeDialects: Type.Array(Type.String()),
  configSchema: AnyObject,
  plugin: Type.Object({ id: Type.String(), version: Type.String() }, closed),
}, { ...closed, title: "ProviderDescriptor", description: "A provider that connections can use" });
/** See the schema of the same name. */
export type ProviderDescriptor = Type.Static<typeof ProviderDescriptor>;
