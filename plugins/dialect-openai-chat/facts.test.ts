import assert from "node:assert/strict";
import type { JsonObject } from "@vmx/core/contract";
import { type Case, runCases } from "@vmx/core/conformance";
import { openaiChat as dialect } from "./dialect.ts";
import { readTokens, writeTokens } from "./tokens.ts";

const inbound = dialect.inbound!;
const user = (content: JsonObject["content"]): JsonObject => ({ role: "user", content: content! });
const inspect = (body: JsonObject) => inbound.inspect(body, "chat");
const tokens = (content: JsonObject["content"]): number =>
  inspect({ messages: [user(content)] }).inputTokens - 7;

const cases: readonly Case[] = [
  {
    name: "validation names the member at fault",
    run() {
      const wrong: readonly (readonly [JsonObject, string])[] = [
        [{ messages: [user("a")] }, "model"],
        [{ model: "m" }, "messages"],
        [{ model: "m", messages: [] }, "messages"],
        [{ model: "m", messages: "hi" }, "messages"],
        [{ model: "m", messages: [user("a"), "hi"] }, "messages[1]"],
        [{ model: "m", messages: [user("a"), { content: "b" }] }, "messages[1].role"],
        [{ model: "m", messages: [user("a")], stream: "yes" }, "stream"],
      ];
      for (const [body, param] of wrong) {
        assert.throws(() => inbound.validate(body, "chat"), { code: "invalid_request", param });
      }
      for (const input of [undefined, "", [], 5]) {
        const body = { model: "m", ...(input === undefined ? {} : { input }) };
        assert.throws(() => inbound.validate(body, "embeddings"), { param: "input" });
      }
      const unknown = { model: "m", messages: [{ role: "critic" }], stream: null, hologram: {} };
      inbound.validate(unknown, "chat");
    },
  },
  {
    name: "messages say why they are refused",
    run() {
      assert.throws(() => inbound.validate({ model: "m", messages: [] }, "chat"), {
        message: "Cannot read the request: messages must be a non-empty array, not an empty array",
      });
      assert.throws(() => inbound.validate({ messages: [] }, "chat"), {
        message: "Cannot read the request: model is missing",
      });
    },
  },
  {
    name: "facts tell texts, tools and media",
    run() {
      const facts = inspect({
        model: "m",
        stream: true,
        max_tokens: 10,
        n: 3,
        tools: [{}, {}],
        functions: [{}],
        messages: [
          { role: "system", content: "a" },
          { role: "developer", content: [{ type: "text", text: "b" }] },
          user([{ type: "text", text: "c" }, { type: "image_url" }, { type: "text", text: "d" }]),
          { role: "assistant", content: null },
        ],
      });
      assert.deepEqual(facts.messages, [
        { role: "user", content: "c\nd" },
        { role: "assistant", content: "" },
      ]);
      assert.deepEqual(
        [facts.system, facts.toolsCount, facts.hasImages, facts.hasFiles, facts.stream],
        ["a\n\nb", 3, true, false, true],
      );
      assert.equal(facts.maxOutputTokens, 30);
      assert.equal(inspect({ messages: [user([{ type: "file" }])] }).hasFiles, true);
      assert.equal(inspect({ messages: [] }).maxOutputTokens, undefined);
    },
  },
  {
    name: "input is estimated by the rule",
    run() {
      assert.equal(inspect({ messages: [] }).inputTokens, 3);
      assert.equal(tokens("abcde"), 2);
      assert.equal(tokens("日本"), 2);
      assert.equal(tokens([{ type: "text", text: "a" }, { type: "text", text: "b" }]), 2);
      const image = (detail?: string) => [{
        type: "image_url",
        image_url: { url: "u", ...(detail === undefined ? {} : { detail }) },
      }];
      assert.deepEqual([tokens(image()), tokens(image("low"))], [1000, 85]);
      const data = Buffer.alloc(4000).toString("base64");
      const file = (file_data: string) => tokens([{ type: "file", file: { file_data } }]);
      assert.ok(Math.abs(file(`data:application/pdf;base64,${data}`) - 100) <= 1);
      assert.equal(file(data), file(`data:application/pdf;base64,${data}`));
      assert.equal(tokens([{ type: "file", file: { file_id: "f" } }]), 1500);
      const calls = [{ id: "1", function: { name: "f", arguments: "{}" } }];
      const called = inspect({ messages: [{ role: "assistant", tool_calls: calls }] });
      assert.ok(Math.abs(called.inputTokens - 7 - JSON.stringify(calls).length / 4) <= 2);
    },
  },
  {
    name: "embeddings are estimated by texts and token arrays",
    run() {
      const estimate = (input: JsonObject["input"]) =>
        inbound.inspect({ input: input! }, "embeddings").inputTokens - 3;
      assert.deepEqual(
        [estimate("abcd"), estimate(["abcd", "e"]), estimate([1, 2, 3]), estimate([[1, 2], [3]])],
        [1, 2, 3, 3],
      );
      assert.equal(inbound.inspect({ input: "a" }, "embeddings").maxOutputTokens, 0);
    },
  },
  {
    name: "usage is asked for on streams, and known when the caller did",
    run() {
      const ask = (body: JsonObject) => inbound.usageRequest(body, "chat");
      const merge = { stream_options: { include_usage: true } };
      assert.deepEqual(ask({ stream: true }), { callerAsked: false, merge });
      assert.deepEqual(ask({ stream: true, stream_options: null }), { callerAsked: false, merge });
      assert.deepEqual(ask({ stream: true, ...merge }), { callerAsked: true });
      assert.deepEqual(ask({ stream: false }), { callerAsked: true });
    },
  },
  {
    name: "token classes are disjoint, add up, and tell zero from nothing",
    run() {
      const read = readTokens({
        prompt_tokens: 100,
        completion_tokens: 50,
        prompt_tokens_details: { cached_tokens: 60, audio_tokens: 0 },
        completion_tokens_details: { reasoning_tokens: 30, audio_tokens: 5 },
      });
      assert.deepEqual(
        [read.inputUncached, read.inputCacheRead, read.audioInput, read.inputCacheWrite5m],
        [40, 60, 0, null],
      );
      assert.deepEqual([read.output, read.reasoning, read.audioOutput], [15, 30, 5]);
      assert.deepEqual([read.promptTotal, read.completionTotal], [100, 50]);
      const bare = readTokens({ prompt_tokens: 7, completion_tokens: 0 });
      assert.deepEqual(
        [bare.inputUncached, bare.inputCacheRead, bare.output, bare.reasoning],
        [7, null, 0, null],
      );
      const written = writeTokens({ ...read, promptTotal: null, completionTotal: null }, "chat");
      assert.deepEqual(readTokens(written), read);
      assert.equal(readTokens({ prompt_cache_hit_tokens: 3, prompt_tokens: 5 }).inputUncached, 2);
    },
  },
  {
    name: "errors are typed by their kind, and a provider's type stays",
    run() {
      const error = { status: 429, code: "c", message: "m", requestId: "r" };
      assert.deepEqual(inbound.encodeError({ ...error, kind: "rate-limit", details: { a: 1 } }), {
        error: {
          message: "m",
          type: "rate_limit_error",
          code: "c",
          param: null,
          details: { a: 1 },
        },
      });
      const kept = inbound.encodeError({
        ...error,
        kind: "rate-limit",
        type: "tokens",
        param: "p",
      });
      assert.deepEqual(kept, { error: { message: "m", type: "tokens", code: "c", param: "p" } });
      const frame = inbound.errorFrame({ ...error, kind: "timeout" });
      assert.equal(
        frame,
        'data: {"error":{"message":"m","type":"timeout_error","code":"c","param":null}}\n\n',
      );
    },
  },
  {
    name: "error bodies of other shapes still give a sentence",
    run() {
      const read = (body: string) => dialect.decodeError(502, body);
      assert.equal(read("<html>Bad Gateway</html>").message.includes("502"), true);
      assert.equal(read("upstream connect error").message, "upstream connect error");
      assert.equal(read('{"error":"no such model"}').message, "no such model");
      assert.equal(read('{"message":"slow","code":7}').code, "7");
      assert.equal(read('[{"error":{"message":"listed","code":"x"}}]').message, "listed");
      assert.equal(read('{"error":{"message":"m","type":"t","code":null}}').recognised, true);
      for (const body of ['{"error":"x"}', '[{"error":{"message":"m"}}]', '{"message":"m"}']) {
        assert.equal(read(body).recognised, false);
      }
    },
  },
  {
    name: "an answer without usage is estimated by its text",
    run() {
      const message = { content: "abcdefgh", tool_calls: [{ function: { arguments: "{}" } }] };
      const facts = dialect.readAnswer({ choices: [{ message, finish_reason: "stop" }] }, "chat");
      assert.ok(facts.estimatedOutputTokens > 2);
      assert.equal(facts.tokens, undefined);
      assert.equal(facts.finish, "tool-use");
    },
  },
  {
    name: "a metrics frame is a chunk without choices",
    run() {
      const frame = inbound.metricsFrame({ ms: 1 }, {
        operation: "chat",
        requestId: "r",
        stream: true,
        now: 5,
        model: "m",
        includeUsage: false,
      });
      const chunk = {
        id: "r",
        object: "chat.completion.chunk",
        created: 5,
        model: "m",
        choices: [],
      };
      assert.deepEqual(JSON.parse(frame.slice(6)), { ...chunk, vmx: { ms: 1 } });
      const tap = inbound.tap({ keepUsage: false });
      assert.equal(tap.push(new TextEncoder().encode(frame)).forward.length, frame.length);
    },
  },
  {
    name: "paths exist for the operations the dialect has",
    run() {
      const path = (operation: "chat" | "embeddings" | "models" | "count-tokens") =>
        dialect.requestPath({ operation, model: "m", stream: false });
      assert.deepEqual(
        [path("chat"), path("embeddings"), path("models")],
        ["/chat/completions", "/embeddings", "/models"],
      );
      assert.throws(() => path("count-tokens"), { code: "operation_not_supported" });
    },
  },
];

await runCases("facts", cases);
