import { expect, test } from "vitest";
import type { JsonObject } from "@vmx/core/contract";
import { adaptBody } from "./adapt.ts";
import type { CompatibleConfiguration } from "./configuration.ts";
import { createCompatibleProvider } from "./provider.ts";

function adapt(
  body: JsonObject,
  changes: Partial<CompatibleConfiguration>,
  dialect = "openai-chat",
) {
  const request = { operation: "chat", dialect, model: "m", body } as const;
  return adaptBody(request, { baseUrl: "https://x.example", ...changes });
}

test("a stripped parameter goes with a warning, one that is not there without", () => {
  expect(adapt({ seed: 1, user: "u" }, { stripParameters: ["seed", "logit_bias"] })).toEqual({
    remove: ["seed"],
    warnings: [{
      code: "parameter_dropped",
      path: "/seed",
      action: "dropped",
      detail: "the connection does not support seed",
    }],
  });
  expect(adapt({ user: "u" }, { stripParameters: ["seed"] })).toBeUndefined();
});

test("a name with a slash is escaped in the warning's pointer", () => {
  const adaptation = adapt({ "a/b~c": 1 }, { stripParameters: ["a/b~c"] });
  expect(adaptation?.warnings?.[0]?.path).toBe("/a~1b~0c");
});

test("what a call needs is never stripped", () => {
  const body = { model: "m", messages: [], stream: true };
  expect(adapt(body, { stripParameters: ["model", "messages", "stream"] })).toBeUndefined();
});

test("a service without usage on streams is not asked for it", () => {
  const changes = { supportsStreamUsage: false };
  expect(adapt({ stream: true }, changes)).toEqual({ remove: ["stream_options"] });
  expect(adapt({ stream: true, stream_options: { include_usage: true } }, changes)?.warnings)
    .toHaveLength(1);
  expect(adapt({ stream: false }, changes)).toBeUndefined();
  expect(adapt({ stream: true }, {})).toBeUndefined();
  expect(adapt({ stream: true }, changes, "anthropic-messages")).toBeUndefined();
});

test("the connection declares its dialects; chat is the default and carries embeddings", () => {
  const provider = createCompatibleProvider({} as never);
  const dialects = (config: object, operation: "chat" | "embeddings" = "chat") =>
    provider.dialects(
      { model: "m", operation, callerDialect: "openai-chat" },
      { config } as never,
    );
  expect(dialects({})).toEqual(["openai-chat"]);
  const declared = ["anthropic-messages", "openai-chat"];
  expect(dialects({ dialects: declared })).toEqual(declared);
  expect(dialects({ dialects: declared }, "embeddings")).toEqual(["openai-chat"]);
});
