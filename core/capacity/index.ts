/** Capacity: limits put on legs, what is taken from them, and what a process knows about their use. */
export type { AdmissionReply, FailurePolicy, Lease, StoreState } from "./admission.ts";
export type { CapacityView, UsageQuery, WatchedSubject } from "./capacity-view.ts";
export { type CounterCopies, createCounterCopies } from "./counter-copies.ts";
export { createForgetRemoved } from "./forget-removed.ts";
export { type Capacity, type CapacityParts, createCapacity } from "./create-capacity.ts";
export type { Discovered, StoredDiscovered } from "./discovered.ts";
export type { GuardedStore } from "./guarded-store.ts";
export { legMeters, type LegSubject } from "./leg-meters.ts";
export type { LiveMeters, MeterFilter } from "./live-meters.ts";
export { limitsOf, minuteTokenLimit } from "./limits.ts";
export { refusalError } from "./refusal.ts";
