import type { AnswerFacts, Dialect, JsonObject, Tap, Warning } from "../contract/index.ts";
import type { Exchange } from "./exchange.ts";

/** How a leg's request is written and its answer read: untouched, or through the canonical middle. */
export interface LegCodec {
  /** The dialect spoken to the provider. */
  readonly dialect: Dialect;
  /** The outbound body. */
  readonly text: string;
  readonly bodyObject: () => JsonObject;
  /** The caller's query where the leg may see it. */
  readonly query: string;
  /** The caller's headers the leg may see. */
  readonly headers: Readonly<Record<string, string>>;
  /** What was lost or changed on the way out. */
  readonly warnings: readonly Warning[];
  /** Reads along a streamed answer and writes what the caller gets. */
  tap(): Tap;
  /** Reads a plain answer; `text` of the result is what the caller gets. */
  plain(value: JsonObject, text: string): PlainAnswer;
}

/** See `LegCodec.plain`. */
export interface PlainAnswer {
  readonly text: string;
  readonly facts: AnswerFacts;
  readonly warnings: readonly Warning[];
}

/** Arguments merged under the caller's body. */
export function defaultArguments({ target }: Exchange): JsonObject | null {
  return target?.kind === "resource" ? target.resource.defaultArgs as JsonObject | null : null;
}
