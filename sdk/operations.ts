import type { Api } from "./generated/sdk.gen.ts";

/** Name of an operation of the OpenAPI document. */
export type OperationId = {
  // Every public member of the generated class is an operation.
  [Name in keyof Api]: Api[Name] extends (...input: never[]) => unknown ? Name : never;
}[keyof Api];

type Input<Id extends OperationId> = NonNullable<Parameters<Api[Id]>[0]>;
type Member<Shape, Name extends string> = Shape extends { [K in Name]?: infer Value }
  ? NonNullable<Value>
  : never;

/** Path, query and body of an operation. Ids in the path may be names. */
export type InputOf<Id extends OperationId> = Pick<
  Input<Id>,
  Extract<keyof Input<Id>, "path" | "query" | "body">
>;
/** Query parameters of an operation. */
export type QueryOf<Id extends OperationId> = Member<Input<Id>, "query">;
/** Body of an operation. */
export type BodyOf<Id extends OperationId> = Member<Input<Id>, "body">;
/** What an operation answers. */
export type AnswerOf<Id extends OperationId> = Exclude<
  Member<Awaited<ReturnType<Api[Id]>>, "data">,
  undefined
>;
/** Item of a list operation. */
export type ItemOf<Id extends OperationId> = AnswerOf<Id> extends { data: (infer Item)[] } ? Item
  : never;
/** List operations. */
export type ListId = {
  [Id in OperationId]: AnswerOf<Id> extends { data: unknown[] } ? Id : never;
}[OperationId];

/** Options every call takes. */
export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  /** Longest wait for an answer, per attempt. */
  readonly timeoutMs?: number | undefined;
  /** Attempts after the first. */
  readonly maxRetries?: number | undefined;
  /** Key under which repeating a POST is harmless; each call gets one of its own when absent. */
  readonly idempotencyKey?: string | undefined;
  /** Version (or ETag) a change is meant for; another present one is a VersionMismatchError. */
  readonly ifMatch?: number | string | undefined;
  /** Version (or ETag) that is known already; if it is the present one, a NotModifiedError. */
  readonly ifNoneMatch?: number | string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}
