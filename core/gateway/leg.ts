import type { FailureReason, Tokens, Warning } from "../contract/index.ts";
import type { ConnectionView } from "../store/snapshot.ts";
import type { PlannedLeg } from "./plan.ts";

/** What is known of one attempt of one slot; records and events are written from it. */
export interface LegRecord {
  readonly index: number;
  readonly kind: PlannedLeg["kind"];
  readonly connectionId: string;
  readonly provider: string;
  readonly model: string;
  /** Monotonic milliseconds. */
  readonly startedAt: number;
  /** True when the leg speaks the caller's dialect. */
  native?: boolean;
  connectionName?: string;
  /** Version of the connection whose credential served. */
  credentialVersion?: number;
  durationMs?: number;
  outcome?: "ok" | "failed" | "denied" | "skipped" | "aborted" | "partial";
  statusCode?: number;
  failureReason?: FailureReason;
  errorCode?: string;
  errorMessage?: string;
  /** Milliseconds from the call to the first content. */
  timeToFirstTokenMs?: number;
  providerRequestId?: string;
  tokens?: Tokens;
  readonly retries: {
    readonly at: number;
    readonly statusCode: number;
    readonly delayMs: number;
  }[];
  readonly warnings: Warning[];
}

/** Opens the record of a leg. */
export function createLeg(
  index: number,
  { kind, slot }: PlannedLeg,
  connection: ConnectionView | undefined,
  startedAt: number,
): LegRecord {
  return {
    index,
    kind,
    connectionId: slot.connectionId,
    provider: connection?.provider ?? slot.provider,
    model: slot.model,
    startedAt,
    ...(connection
      ? { connectionName: connection.name, credentialVersion: connection.version }
      : {}),
    retries: [],
    warnings: [],
  };
}
