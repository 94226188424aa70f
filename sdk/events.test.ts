import { expect, test } from "vitest";
import type { Answer } from "./call.ts";
import { errorOf, type VmxError } from "./errors.ts";
import { type EventOptions, followEvents, type ServerEvent } from "./events.ts";
import { problem } from "./testing.ts";

/** A gateway whose stream breaks off after each text; errors refuse the connection. */
function follow(connections: readonly (string | Error)[], options: EventOptions = {}) {
  const opened: (string | undefined)[] = [];
  const waits: number[] = [];
  const stop = new AbortController();
  const events = followEvents<unknown>({
    open: (lastEventId) => {
      const next = connections[opened.length];
      opened.push(lastEventId);
      if (next === undefined) stop.abort();
      if (next instanceof Error) return Promise.reject(next);
      const data = new Blob([next ?? ""]).stream();
      return Promise.resolve({ data, status: 200 } as Answer<ReadableStream<Uint8Array>>);
    },
    sleep: (ms) => {
      waits.push(ms);
      return Promise.resolve();
    },
    random: () => 0,
  }, { signal: stop.signal, ...options });
  return { events, opened, waits };
}

async function all(events: AsyncIterable<ServerEvent>): Promise<ServerEvent[]> {
  const list: ServerEvent[] = [];
  for await (const event of events) list.push(event);
  return list;
}

test("events arrive with id, kind and data, and comments do not", async () => {
  const { events } = follow([
    ': ping\n\nid: 1\nevent: started\ndata: {"a":\ndata: 1}\n\r\ndata: 2\r\n\r\n',
  ]);
  expect(await all(events)).toEqual([
    { id: "1", event: "started", data: { a: 1 } },
    { id: undefined, event: "message", data: 2 },
  ]);
});

test("a stream that breaks off goes on after the last event", async () => {
  const states: string[] = [];
  const { events, opened } = follow([
    "id: 7\ndata: 1\n\nid: 8\ndata: 2\n\nid: 9\ndata: lost in mid-eve",
    "id: 9\ndata: 3\n\n",
  ], { onState: (state) => states.push(state), lastEventId: "5" });
  expect((await all(events)).map(({ data }) => data)).toEqual([1, 2, 3]);
  expect(opened).toEqual(["5", "8", "9"]);
  expect(states.slice(0, 3)).toEqual(["live", "reconnecting", "live"]);
});

test("a gateway that is away is tried again, more and more slowly, and after as long as it asks", async () => {
  const away = errorOf(problem(503, "DATABASE_UNAVAILABLE"), { code: "X", status: 503 });
  const { events, waits } = follow([away, away, away, "retry: 200\ndata: 1\n\n", away]);
  expect(await all(events)).toHaveLength(1);
  expect(waits).toEqual([1_000, 2_000, 4_000, 200, 400]);
});

test("a refused stream is an error", async () => {
  const refusal = errorOf(problem(403, "NOT_AUTHORIZED"), { code: "NOT_AUTHORIZED", status: 403 });
  const { events } = follow([refusal]);
  const error = await all(events).catch((reason: VmxError) => reason);
  expect(error).toBe(refusal);
});

test("a stream ends when its reader leaves, and a silent one is opened anew", async () => {
  const opened: AbortSignal[] = [];
  const events = followEvents<number>({
    open: (_, signal) => {
      opened.push(signal);
      const data = new ReadableStream<Uint8Array>({
        start(controller) {
          signal.addEventListener("abort", () => controller.error(signal.reason));
          if (opened.length === 2) controller.enqueue(new TextEncoder().encode("data: 1\n\n"));
        },
      });
      return Promise.resolve({ data, status: 200 } as Answer<ReadableStream<Uint8Array>>);
    },
    sleep: () => Promise.resolve(),
    random: () => 0,
  }, { idleTimeoutMs: 20 });
  for await (const { data } of events) {
    expect(data).toBe(1);
    break;
  }
  expect(opened).toHaveLength(2);
  expect(opened.every(({ aborted }) => aborted)).toBe(true);
});
