import type { Call } from "./call.ts";
import type { StreamPart } from "./part.ts";

/** Sees a decoded call before dispatch and the parts after: guardrails, redaction and caching live here. */
export interface Interceptor {
  /** Answers the call, changed or not. Throws a GatewayError to refuse it. */
  request?(call: Call, context: InterceptorContext): Promise<Call> | Call;
  /** Answers the parts that take this one's place. */
  part?(part: StreamPart, context: InterceptorContext): readonly StreamPart[];
}

/** What an interceptor knows about the request. */
export interface InterceptorContext {
  readonly requestId: string;
  readonly workspaceId: string;
  readonly environmentId: string;
  readonly resourceName: string;
}
