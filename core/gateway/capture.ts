/** What is kept of one request's way for the audit; only references are noted while it runs. */
export interface Capture {
  /** The body sent to the last leg that was called. */
  providerBody?: string;
  /** The headers of the answer that was relayed, as the provider sent them. */
  answerHeaders?: Readonly<Record<string, string | undefined>>;
  /** A plain answer as the caller got it, without the gateway's own member. */
  answer?: string;
  /** A streamed answer as the caller got it. */
  readonly chunks: Uint8Array[];
  keptBytes: number;
  totalBytes: number;
  /** How many bytes of a stream are kept. */
  readonly maxBytes: number;
}

/** Begins a capture that keeps at most `maxBytes` of a stream. */
export function createCapture(maxBytes: number): Capture {
  return { chunks: [], keptBytes: 0, totalBytes: 0, maxBytes };
}

/** Notes a piece of a stream. Bytes beyond the bound are only counted. */
export function captureChunk(capture: Capture, bytes: Uint8Array): void {
  capture.totalBytes += bytes.length;
  if (capture.totalBytes > capture.maxBytes) return;
  capture.chunks.push(bytes);
  capture.keptBytes += bytes.length;
}
