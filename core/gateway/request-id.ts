import { randomFillSync } from "node:crypto";
import { v7 } from "uuid";

const pool = new Uint8Array(4096);
let used = pool.length;

/**
 * Makes the id of a request: a UUIDv7, so that it tells when the request arrived.
 *
 * @param arrivedAt Unix milliseconds; now when absent
 */
export function createRequestId(arrivedAt = Date.now()): string {
  return v7({ msecs: arrivedAt, random: nextRandom() });
}

// Random bytes are drawn for many ids at once: a draw of 16 costs as much as one of 4096.
function nextRandom(): Uint8Array {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  return pool.subarray(used, used += 16);
}
