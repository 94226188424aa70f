import type { System } from "@vmx/sdk";

/** What each degraded mode means, in sentences. */
export const degradedModes: Readonly<Record<System["degraded"][number], string>> = {
  database_away:
    "The database is away. Requests are served from the last known configuration, nothing can be changed, and records wait in the spool.",
  capacity_degraded:
    "The capacity store is away. Limits are kept as the setting for its failure says.",
  credentials_unavailable:
    "Stored credentials cannot be opened. Connections that need one fail until the encryption is back.",
  disk_full: "The disk is full. Records of requests cannot be written.",
  spool_full:
    "The spool is filling. The oldest payloads are dropped first, then what the installation has chosen.",
};
