/** What is kept of one request's way for the audit; only references are noted while it runs. */
export interface Capture {
  /** The body sent to the last leg that was called. */
  providerBody?: string;
  /** The headers of the answer that was relayed, as the provider sent them. */
  answerHeaders?: Readonly<Record<string, string | undefined>>;
  /** A plain answer as the caller got it, without the gateway's own member. */
  answer?: string;
  /** A streamed answer as the caller got it, up to where a bound was reached. */
  readonly chunks: Uint8Array[];
  keptBytes: number;
  totalBytes: number;
  /** How many bytes of a stream are kept. */
  readonly maxBytes: number;
  /** Shared with the captures of other requests. */
  readonly budget: CaptureBudget;
  /** What it takes of the budget. */
  heldBytes: number;
}

/** Bytes of streams that all requests of a process together may hold in memory. */
export interface CaptureBudget {
  readonly maxBytes: number;
  heldBytes: number;
}

/** Begins a capture that keeps at most `maxBytes` of a stream, and no more than the budget has left. */
export function createCapture(
  maxBytes: number,
  budget: CaptureBudget = { maxBytes, heldBytes: 0 },
): Capture {
  return { chunks: [], keptBytes: 0, totalBytes: 0, maxBytes, budget, heldBytes: 0 };
}

/** Notes a piece of a stream. Bytes beyond a bound are only counted, and so is everything behind them. */
export function captureChunk(capture: Capture, bytes: Uint8Array): void {
  const { budget, keptBytes, totalBytes } = capture;
  capture.totalBytes += bytes.length;
  if (keptBytes < totalBytes || capture.totalBytes > capture.maxBytes) return;
  if (budget.heldBytes + bytes.length > budget.maxBytes) return;
  capture.chunks.push(bytes);
  capture.keptBytes += bytes.length;
  capture.heldBytes += bytes.length;
  budget.heldBytes += bytes.length;
}

/** Gives its part of the budget back, when the request is on record and the capture about to go. */
export function releaseCapture(capture: Capture): void {
  capture.budget.heldBytes -= capture.heldBytes;
  capture.heldBytes = 0;
}
