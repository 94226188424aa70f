/** How pools share a connection: their gate, their recomputation, what people see of it. */
export { poolGateOf } from "./pool-gate.ts";
