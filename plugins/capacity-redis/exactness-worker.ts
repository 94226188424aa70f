/*
 * One of several processes that want more than there is: callers at once that reserve until they are refused. Prints
 * how many were admitted.
 *
 *   node exactness-worker.ts URL LIMIT CALLERS
 */
import process from "node:process";
import type { Meter } from "@vmx/core/contract";
import { openStore } from "./testing.ts";

const [url = "", limit = "", callers = ""] = process.argv.slice(2);
const { store } = await openStore(url);
const meter = (level: Meter["level"], requests: number | null, tokens: number | null): Meter => ({
  level,
  subjectId: `limited-${limit}`,
  period: "lifetime",
  limit: { requests, tokens },
});
const meters = [
  meter("connection", Number(limit), null),
  meter("resource", null, Number(limit) * 7),
  meter("api-key", Number(limit) + 1, null),
];
let admitted = 0;
await Promise.all(
  Array.from({ length: Number(callers) }, async (_, caller) => {
    for (let attempt = 0;; attempt++) {
      const reply = await store.reserve({
        environmentId: "exact",
        reservationId: `${process.pid}-${caller}-${attempt}`,
        processId: String(process.pid),
        ttlMs: 60_000,
        amount: { requests: 1, tokens: 7 },
        meters,
      });
      if (!reply.admitted) return;
      admitted++;
    }
  }),
);
console.log(admitted);
await store.close();
