import type { ServerResponse } from "node:http";
import type { Reply } from "../gateway/exchange.ts";

/** A reply over an HTTP response. Writes after the reader has left are dropped. */
export function createReply(response: ServerResponse): Reply {
  return {
    head(status, headers) {
      if (!response.headersSent) response.writeHead(status, headers);
    },
    write(bytes) {
      if (response.destroyed || response.writableEnded) return undefined;
      if (response.write(bytes)) return undefined;
      return drained(response);
    },
    end(bytes) {
      if (response.writableEnded) return;
      if (bytes === undefined) response.end();
      else response.end(bytes);
    },
    onGone(listener) {
      response.once("close", () => {
        if (!response.writableFinished) listener();
      });
    },
  };
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      response.off("drain", done);
      response.off("close", done);
      resolve();
    };
    response.once("drain", done);
    response.once("close", done);
  });
}
