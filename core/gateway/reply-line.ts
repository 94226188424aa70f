import { captureChunk } from "./capture.ts";
import type { Exchange, Reply } from "./exchange.ts";

/** See `startReplyLine`. */
export type ReplyLine = ReturnType<typeof startReplyLine>;

/** The line to the reader: waits while the reader is slow and breaks long silences with keep-alives. */
export function startReplyLine(exchange: Exchange, reply: Reply, oversize: boolean) {
  const { keepAliveMs } = exchange.services.limits;
  const { keepAlive } = exchange.dialect.inbound;
  const { capture } = exchange;
  let border = !oversize;
  let waiting = false;
  let lastSentAt = performance.now();
  const timer = setInterval(() => {
    if (!border || waiting || performance.now() - lastSentAt < keepAliveMs) return;
    lastSentAt = performance.now();
    reply.write(keepAlive);
  }, keepAliveMs);
  return {
    /** Answers a promise only when the reader is slow: most frames of a stream cost none. */
    send(bytes: Uint8Array, unfinished = false): Promise<void> | undefined {
      if (bytes.length === 0) return undefined;
      border = !unfinished;
      if (capture) captureChunk(capture, bytes);
      lastSentAt = performance.now();
      const slow = reply.write(bytes);
      if (!slow) return undefined;
      waiting = true;
      return slow.finally(() => waiting = false);
    },
    atBorder: () => border,
    stop: () => clearInterval(timer),
  };
}
