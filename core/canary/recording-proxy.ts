import { Buffer } from "node:buffer";
import { createServer, request as forward } from "node:http";
import type { AddressInfo } from "node:net";

/** An answer as it came, with what asked for it. */
export interface RecordedAnswer {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  /** Status line and headers as text. */
  readonly head: string;
  readonly body: Buffer;
}

/** Stands before a gateway and keeps everything it answers. */
export interface RecordingProxy {
  readonly url: string;
  readonly answers: readonly RecordedAnswer[];
  /** Where calls go from now on. */
  lead(port: number): void;
  stop(): Promise<void>;
}

/** Starts a proxy on a free port. Callers reach the gateway through it alone, so that nothing is missed. */
export async function startRecordingProxy(): Promise<RecordingProxy> {
  let target = 0;
  const answers: RecordedAnswer[] = [];
  const server = createServer((incoming, outgoing) => {
    const { method = "", url = "", rawHeaders } = incoming;
    const sent = forward({
      ...{ host: "127.0.0.1", port: target, method, path: url, setHost: false },
      headers: rawHeaders as never,
    }, (answer) => {
      const pieces: Buffer[] = [];
      const { statusCode = 0, statusMessage = "" } = answer;
      outgoing.writeHead(statusCode, statusMessage, answer.rawHeaders);
      // Who follows a stream is told at once that it has begun.
      outgoing.flushHeaders();
      answer.on("data", (piece: Buffer) => {
        pieces.push(piece);
        outgoing.write(piece);
      });
      // A stream that its reader left, or that broke off, has told something as well.
      answer.once("close", () => {
        outgoing.end();
        const pairs = answer.rawHeaders.map((text, at) => at % 2 === 0 ? `${text}: ` : `${text}\n`);
        const head = `${statusCode} ${statusMessage}\n${pairs.join("")}`;
        answers.push({ method, path: url, status: statusCode, head, body: Buffer.concat(pieces) });
      });
    });
    sent.on("error", () => outgoing.destroy());
    outgoing.on("close", () => sent.destroy());
    incoming.pipe(sent);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    answers,
    lead(to) {
      target = to;
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
