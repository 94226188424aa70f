/** The control plane: route table, validation, authorisation, one file per entity, first run. */
export { EventStream, writeEvents } from "./event-stream.ts";
export { FileStream } from "./file-stream.ts";
export { createManagementApi } from "./api.ts";
export { bootstrap, type FirstRun } from "./bootstrap.ts";
export { createDocsPage } from "./docs-page.ts";
export { createManagementPlane, type ManagementPlane } from "./management.ts";
export type { ManagementAnswer, ManagementRequest } from "./answer.ts";
export type { Method, Route } from "./route.ts";
export type { ManagementConfig, ManagementServices, SnapshotSource, TryModel } from "./services.ts";
