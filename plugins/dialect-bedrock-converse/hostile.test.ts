import fc from "fast-check";
import { expect, test } from "vitest";
import { GatewayError, type JsonObject } from "@vmx/core/contract";
import { isObject } from "@vmx/core/kit";
import { bedrockConverse as dialect } from "./dialect.ts";
import { answers, requests, streams } from "./examples.ts";

/** Any JSON in the place of any other. */
function mutate(value: unknown, places: readonly number[], by: unknown): unknown {
  const [place, ...rest] = places;
  if (place === undefined) return by;
  if (Array.isArray(value) && value.length > 0) {
    const at = place % value.length;
    return value.with(at, mutate(value[at], rest, by));
  }
  if (isObject(value) && Object.keys(value).length > 0) {
    const names = Object.keys(value);
    const name = names[place % names.length]!;
    return { ...value, [name]: mutate(value[name], rest, by) };
  }
  return by;
}

const places = fc.array(fc.nat(7), { minLength: 1, maxLength: 8 });

/** Only the gateway's own errors may come out: anything else would be answered as a fault of the gateway. */
function survives(run: () => unknown): void {
  try {
    run();
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
  }
}

test("answers that are broken in any place are read or refused", () => {
  fc.assert(
    fc.property(fc.constantFrom(...answers), places, fc.jsonValue(), (example, at, by) => {
      const body = mutate(example.body, at, by);
      if (!isObject(body)) return;
      const operation = example.operation ?? "chat";
      survives(() => {
        const { value } = dialect.decodeResponse(body, operation);
        dialect.encodeResponse(value, {
          operation,
          requestId: "r",
          stream: false,
          now: 0,
          model: "m",
          includeUsage: true,
        });
      });
      survives(() => void dialect.readAnswer(body, operation).estimatedOutputTokens);
    }),
    { numRuns: 1000 },
  );
});

test("requests that are broken in any place are read or refused", () => {
  fc.assert(
    fc.property(fc.constantFrom(...requests), places, fc.jsonValue(), (example, at, by) => {
      const body = mutate(example.body, at, by);
      if (!isObject(body)) return;
      survives(() => {
        const { value } = dialect.decodeRequest(body, example.operation ?? "chat");
        dialect.encodeRequest(value, { model: "m", family: "f" });
      });
    }),
    { numRuns: 1000 },
  );
});

test("events that are broken in any place, missing, doubled or out of order are read or refused", () => {
  const events = streams.flatMap(({ text }) =>
    text.trim().split("\n\n").map((frame) => {
      const [event = "", data = ""] = frame.split("\ndata: ");
      return { event: event.slice("event: ".length), data: JSON.parse(data) as JsonObject };
    })
  );
  const broken = fc.record({ event: fc.constantFrom(...events), at: places, by: fc.jsonValue() })
    .map(({ event, at, by }) => ({ ...event, data: mutate(event.data, at, by) }));
  const any = fc.array(fc.oneof(fc.constantFrom(...events), broken), { maxLength: 12 });
  fc.assert(
    fc.property(any, (frames) => {
      survives(() => {
        const decoder = dialect.streamDecoder();
        const opened = new Set<number>();
        const parts = [
          ...frames.flatMap(({ event, data }) => [
            ...decoder.push({ event, data: JSON.stringify(data) }),
          ]),
          ...decoder.end(),
        ];
        let open: number | undefined;
        for (const part of parts) {
          if (part.type === "block-start") {
            expect(open).toBeUndefined();
            expect(opened.has(part.index)).toBe(false);
            opened.add(open = part.index);
          } else if (part.type === "block-delta") expect(part.index).toBe(open);
          else if (part.type === "block-end") {
            expect(part.index).toBe(open);
            open = undefined;
          }
        }
      });
    }),
    { numRuns: 2000 },
  );
});
