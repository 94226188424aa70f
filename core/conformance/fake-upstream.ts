import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** A small HTTP service on loopback that answers as told, well or badly. */
export interface FakeUpstream {
  /** Its origin, such as `http://127.0.0.1:40123`. */
  readonly url: string;
  /** What it was asked, in order. */
  readonly requests: readonly RecordedRequest[];
  /** The answers to come, first in first out; the last one repeats. */
  script(...answers: readonly FakeAnswer[]): void;
  /** Sockets that are open now. */
  openSockets(): number;
  /** Waits until the number of open sockets has fallen to `count`; answers the milliseconds it took, or rejects. */
  untilSockets(count: number, withinMs: number): Promise<number>;
  close(): Promise<void>;
}

/** One request as it stood on the wire. */
export interface RecordedRequest {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** Answers one request. */
export type FakeAnswer = (
  response: ServerResponse,
  request: RecordedRequest,
) => void | Promise<void>;

/** Starts the service. */
export async function startFakeUpstream(): Promise<FakeUpstream> {
  const requests: RecordedRequest[] = [];
  const sockets = new Set<Socket>();
  let answers: readonly FakeAnswer[] = [fakeAnswers.json(200, {})];

  const server = createServer(async (message, response) => {
    const request = await record(message);
    requests.push(request);
    const [answer] = answers;
    if (answers.length > 1) answers = answers.slice(1);
    await answer?.(response, request);
  });
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
  });
  server.keepAliveTimeout = 0;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", 4096, resolve));

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    script(...next) {
      answers = next;
    },
    openSockets: () => sockets.size,
    async untilSockets(count, withinMs) {
      const start = performance.now();
      while (sockets.size > count) {
        if (performance.now() - start > withinMs) {
          throw new Error(`${sockets.size} sockets are open after ${withinMs} ms, not ${count}`);
        }
        await sleep(2);
      }
      return performance.now() - start;
    },
    close: () => stop(server, sockets),
  };
}

/** Answers of a well-behaved and of a broken service. */
export const fakeAnswers = {
  json:
    (status: number, body: unknown, headers: Record<string, string> = {}): FakeAnswer =>
    (response) => {
      response.writeHead(status, { "content-type": "application/json", ...headers });
      response.end(JSON.stringify(body));
    },

  text: (status: number, contentType: string, body: string): FakeAnswer => (response) => {
    response.writeHead(status, { "content-type": contentType });
    response.end(body);
  },

  /** Server-sent events, each frame in a write of its own, `paceMs` apart. */
  events: (frames: readonly string[], paceMs = 0): FakeAnswer => async (response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    for (const frame of frames) {
      response.write(`data: ${frame}\n\n`);
      if (paceMs > 0) await sleep(paceMs);
    }
    response.end();
  },

  /** Takes the request and says nothing. */
  silence: (): FakeAnswer => () => {},

  /** Sends the head and some bytes, then nothing more. */
  stallAfter: (text: string): FakeAnswer => (response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(text);
  },

  /** Sends the head after a while. */
  slowHead: (delayMs: number, body: unknown): FakeAnswer => async (response) => {
    await sleep(delayMs);
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify(body));
  },

  /** Breaks the connection before it answers. */
  resetBefore: (): FakeAnswer => (response) => {
    response.socket?.destroy();
  },

  /** Sends some bytes of a longer body, then breaks the connection. */
  resetAfter: (text: string): FakeAnswer => (response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(text, () => setTimeout(() => response.socket?.destroy(), 5));
  },

  /** Promises more bytes than it sends, then ends in order. */
  shortBody: (text: string): FakeAnswer => (response) => {
    const size = Buffer.byteLength(text) + 100;
    raw(
      response,
      `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${size}\r\n\r\n${text}`,
    );
  },

  /** Ends in order in the middle of what it had to say. */
  truncated: (text: string): FakeAnswer => (response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.end(text);
  },

  /** Answer headers of about `bytes`. */
  hugeHeaders: (bytes: number): FakeAnswer => (response) => {
    const lines = Array.from(
      { length: Math.ceil(bytes / 1024) },
      (_, at) => `x-${at}: ${"a".repeat(1016)}`,
    );
    raw(response, `HTTP/1.1 200 OK\r\n${lines.join("\r\n")}\r\ncontent-length: 2\r\n\r\n{}`);
  },

  /** Bytes that are not HTTP. */
  garbage: (): FakeAnswer => (response) => raw(response, "SSH-2.0-OpenSSH_9.2\r\n\r\n"),

  /** A body with the given `content-encoding`, as it is. */
  encoded: (encoding: string, body: Uint8Array): FakeAnswer => (response) => {
    response.writeHead(200, { "content-type": "application/json", "content-encoding": encoding });
    response.end(body);
  },
} as const;

function raw(response: ServerResponse, bytes: string): void {
  response.socket?.end(bytes);
}

async function record(message: IncomingMessage): Promise<RecordedRequest> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of message) chunks.push(chunk as Uint8Array);
  return {
    method: message.method ?? "",
    url: message.url ?? "",
    headers: message.headers,
    body: Buffer.concat(chunks).toString("utf8"),
  };
}

async function stop(server: Server, sockets: Set<Socket>): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  for (const socket of sockets) socket.destroy();
  await closed;
}
