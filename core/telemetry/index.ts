/** Telemetry: what the gateway tells of itself, and the sinks it tells it to. */
export { createTelemetry, type GatewayTelemetry } from "./create-telemetry.ts";
export { observeProcess } from "./observe-process.ts";
export { createExpose, exportingSinks, startExports } from "./start-exports.ts";
