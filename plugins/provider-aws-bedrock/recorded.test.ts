import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Frame, JsonObject } from "@vmx/core/contract";
import { type Case, runCases } from "@vmx/core/conformance";
import { assembleParts } from "@vmx/core/kit";
import { bedrockConverse } from "@vmx/dialect-bedrock-converse/dialect";
import { classifyError } from "./classify.ts";
import { createEventStreamFramer } from "./event-stream-framer.ts";

/* Replays recorded event streams from their bytes, and recorded errors with their headers. */
const root = process.env["VMX_FIXTURES"] ??
  fileURLToPath(new URL("../../../shared/fixtures", import.meta.url));

await runCases(
  "recorded",
  existsSync(join(root, "wire")) ? recordings() : [absent()],
);

function absent(): Case {
  const reason = `no recordings at ${root}; set VMX_FIXTURES to their folder`;
  return {
    name: "the recordings are there",
    ...(process.env["CI"] === "true" ? {} : { skip: reason }),
    run: () => assert.fail(reason),
  };
}

function recordings(): Case[] {
  const home = join(root, "wire", "bedrock");
  return readdirSync(home).flatMap((name): Case[] => {
    const read = (file: string): Buffer | undefined => {
      const path = join(home, name, file);
      return existsSync(path) ? readFileSync(path) : undefined;
    };
    const stream = read("response.eventstream");
    const events = read("response.events.json");
    const meta = JSON.parse(read("meta.json")!.toString()) as JsonObject;
    if (stream) {
      return [1, 37, stream.length].map((size): Case => ({
        name: `bedrock/${name}: the stream is read in chunks of ${size}`,
        run: () => streamCase(stream, events && JSON.parse(events.toString()), size),
      }));
    }
    if (Number(meta["status"]) < 400) return [];
    return [{
      name: `bedrock/${name}: the error is classified`,
      run: () =>
        errorCase(
          JSON.parse(read("headers.json")!.toString()),
          read("response.json")!.toString(),
        ),
    }];
  });
}

function streamCase(stream: Buffer, events: readonly JsonObject[] | undefined, size: number): void {
  const framer = createEventStreamFramer();
  const frames: Frame[] = [];
  const run = (): void => {
    for (let at = 0; at < stream.length; at += size) {
      frames.push(...framer.push(Uint8Array.from(stream.subarray(at, at + size))));
    }
    frames.push(...framer.end());
  };
  const decoder = bedrockConverse.streamDecoder();
  const decode = () => [...frames.flatMap((frame) => [...decoder.push(frame)]), ...decoder.end()];
  // Frames broken on purpose have no decoded form.
  if (!events) {
    assert.throws(run, { code: "upstream_invalid_response" });
    return;
  }
  run();
  assert.equal(frames.length, events.length);
  frames.forEach((frame, at) => {
    const { headers, payload } = events[at] as { headers: JsonObject; payload: unknown };
    const name = headers[":event-type"] ?? headers[":exception-type"] ?? "error";
    assert.equal(frame.event, name);
    if (name !== "error") assert.deepEqual(JSON.parse(frame.data), payload);
  });
  const parts = assembleParts(decode());
  assert.ok(parts.some((part) => part.type === "finish" || part.type === "error"));
}

const reasons: Readonly<Record<number, string | undefined>> = {
  400: undefined,
  403: "Provider rejected the credential",
  404: undefined,
  408: "Provider error",
  424: "Provider error",
  429: "Rate limit exceeded",
  503: undefined,
};

function errorCase(head: JsonObject, body: string): void {
  const status = Number(head["status"]);
  const error = bedrockConverse.decodeError(status, body);
  const headers = head["headers"] as Readonly<Record<string, string>>;
  const verdict = classifyError({ ...error, status, headers }, 0);
  assert.equal(verdict?.reason, reasons[status]);
}
