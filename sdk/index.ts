/** Typed client for the management API of the VM-X gateway. */
export { type Answer, type AnswerHead, ApiCall } from "./call.ts";
export * from "./errors.ts";
export type { EventOptions, ServerEvent } from "./events.ts";
export type { ProblemCode } from "./generated/codes.gen.ts";
export type * from "./generated/types.gen.ts";
export { List, type Page } from "./list.ts";
export type {
  AnswerOf,
  BodyOf,
  CallOptions,
  InputOf,
  ItemOf,
  ListId,
  OperationId,
  QueryOf,
} from "./operations.ts";
export type { Fetch } from "./send.ts";
export { Vmx, type VmxOptions } from "./vmx.ts";
export type { MetadataFilter } from "./entities/audit.ts";
export { EnvironmentScope } from "./entities/environment-scope.ts";
