import { pipeline, Readable } from "node:stream";
import { createGzip } from "node:zlib";
import {
  EventStream,
  FileStream,
  type ManagementAnswer,
  writeEvents,
} from "../management/index.ts";

/** Turns streams of events into bodies, and ends them together. */
export interface EventBodies {
  /** The answer with its stream as a body; others as they are. */
  open(answer: ManagementAnswer): ManagementAnswer;
  end(): void;
}

/** Creates the bodies of one server; a stream ends when its reader leaves. */
export function createEventBodies(): EventBodies {
  const running = new Set<AbortController>();
  let ended = false;
  return {
    open(answer) {
      const { body } = answer;
      if (!(body instanceof EventStream) && !(body instanceof FileStream)) return answer;
      const controller = new AbortController();
      const readable = Readable.from(
        body instanceof EventStream
          ? writeEvents(body, controller.signal)
          : body.pieces(controller.signal),
      );
      running.add(controller);
      readable.once("close", () => {
        running.delete(controller);
        controller.abort();
      });
      if (ended) controller.abort();
      if (answer.headers["content-encoding"] !== "gzip") return { ...answer, body: readable };
      const packed = createGzip();
      // A failure or a reader who left ends both; Koa reports what is to be reported.
      pipeline(readable, packed, () => {});
      return { ...answer, body: packed };
    },
    end() {
      ended = true;
      for (const controller of running) controller.abort();
    },
  };
}
