/** How pools share a connection: their gate, their recomputation, what people see of it. */
export { type Allocation, type AllocationParts, createAllocation } from "./create-allocation.ts";
export type { AllocationPoint } from "./allocation-history.ts";
export { poolGateOf } from "./pool-gate.ts";
