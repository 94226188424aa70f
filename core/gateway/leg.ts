import type {
  Amount,
  FailureReason,
  MeterLevel,
  Period,
  Tokens,
  Warning,
} from "../contract/index.ts";
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
  statusCode?: number | undefined;
  failureReason?: FailureReason;
  errorCode?: string;
  errorMessage?: string;
  /** How the leg passed its limits; absent when it never came to them. */
  gate?: GateRecord;
  /** Milliseconds from the call to the first content. */
  timeToFirstTokenMs?: number;
  /** True from the moment the provider was called. */
  called?: boolean;
  /** True when the end of the call has been counted. */
  sampled?: boolean;
  providerRequestId?: string;
  /** Id of the leg's span, when the provider was told of it. */
  spanId?: string;
  tokens?: Tokens;
  readonly retries: {
    readonly at: number;
    readonly statusCode: number;
    readonly delayMs: number;
  }[];
  readonly warnings: Warning[];
}

/** How a leg passed its limits (audit-usage-cost.md §1). */
export interface GateRecord {
  readonly durationMs: number;
  /** `degraded`: admitted without the store; `skipped`: nothing limits the leg. */
  readonly result: "admitted" | "denied" | "skipped" | "degraded";
  readonly meters: readonly GateMeter[];
  /** Meters and pool rules that refused. */
  readonly failing: readonly GateFailure[];
  readonly reservationId?: string;
  readonly reserved?: Amount;
  readonly settled?: Amount;
}

/** One meter a leg had to pass. */
export interface GateMeter {
  readonly level: MeterLevel;
  readonly subjectId: string;
  readonly period: Period;
  readonly dimension?: string;
  readonly dimensionValue?: string;
  /** Null means no limit on that axis. */
  readonly limit: { readonly requests: number | null; readonly tokens: number | null };
  /** After the step; null when the store did not answer. */
  readonly used: Amount | null;
  readonly requested: Amount;
}

/** What refused a leg. */
export type GateFailure =
  | {
    readonly level: MeterLevel;
    readonly subjectId: string;
    readonly period: Period;
    readonly axis: "requests" | "tokens";
    readonly used: number;
  }
  | {
    readonly level: "pool";
    readonly pool: string | null;
    readonly rule: "share" | "maximum" | "protected-minimum";
    readonly used: number;
  };

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
