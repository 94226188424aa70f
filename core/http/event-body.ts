import { Readable } from "node:stream";
import { EventStream, type ManagementAnswer, writeEvents } from "../management/index.ts";

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
      if (!(body instanceof EventStream)) return answer;
      const controller = new AbortController();
      const readable = Readable.from(writeEvents(body, controller.signal));
      running.add(controller);
      readable.once("close", () => {
        running.delete(controller);
        controller.abort();
      });
      if (ended) controller.abort();
      return { ...answer, body: readable };
    },
    end() {
      ended = true;
      for (const controller of running) controller.abort();
    },
  };
}
