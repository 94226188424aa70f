import assert from "node:assert/strict";
import type {
  AnswerContext,
  Call,
  DialectProfile,
  FinishPart,
  JsonObject,
  Part,
  StreamPart,
  TextBlock,
} from "@vmx/core/contract";
import { type Case, runCases } from "@vmx/core/conformance";
import { assembleParts } from "@vmx/core/kit";
import { openaiChat as dialect } from "./dialect.ts";
import { chunkOf } from "./examples.ts";

const call = (members: Partial<Call>): Call => ({
  operation: "chat",
  model: "m",
  stream: false,
  system: [],
  turns: [{ role: "user", parts: [{ type: "text", text: "Go." }] }],
  tools: [],
  sampling: {},
  extras: {},
  ...members,
});

const encode = (members: Partial<Call>, profile: DialectProfile = {}) =>
  dialect.encodeRequest(call(members), { model: "m", family: "test", profile });
const messages = (members: Partial<Call>, profile?: DialectProfile): unknown =>
  encode(members, profile).value["messages"];
const codes = (members: Partial<Call>, profile?: DialectProfile): string[] =>
  encode(members, profile).warnings.map(({ code, path }) => `${code} ${path}`);
const decode = (members: JsonObject): Call =>
  dialect.decodeRequest(
    { model: "m", messages: [{ role: "user", content: "Go." }], ...members },
    "chat",
  )
    .value;

const context: AnswerContext = {
  operation: "chat",
  requestId: "r",
  stream: false,
  now: 1,
  model: "m",
  includeUsage: true,
};

const stream = (chunks: readonly JsonObject[]): Part[] => {
  const decoder = dialect.streamDecoder();
  const parts = chunks.flatMap((chunk) => [...decoder.push({ data: JSON.stringify(chunk) })]);
  return assembleParts([...parts, ...decoder.end()]);
};

const cases: readonly Case[] = [
  {
    name: "a summary of reasoning that a Responses caller asks for, and a forced search, are lost",
    run() {
      const reasoning = { effort: "low", summary: "auto" } as const;
      assert.deepEqual(codes({ dialect: "openai-responses", reasoning }), [
        "parameter_dropped /reasoning/summary",
      ]);
      const native = { dialect: "openai-responses", value: { type: "web_search" } };
      const search = { type: "web-search", settings: {}, native } as const;
      assert.deepEqual(codes({ tools: [search], toolChoice: { type: "required" } }), [
        "parameter_dropped /tool_choice",
      ]);
      assert.deepEqual(codes({ tools: [search], toolChoice: { type: "auto" } }), []);
    },
  },
  {
    name: "texts of other dialects form one system message, late ones stay where they were",
    run() {
      assert.deepEqual(
        messages({
          system: [
            { text: "a" },
            { text: "b" },
            { text: "c", role: "developer" },
            { text: "d", late: true, turnsBefore: 1 },
          ],
        }),
        [
          { role: "system", content: [{ type: "text", text: "a" }, { type: "text", text: "b" }] },
          { role: "developer", content: "c" },
          { role: "user", content: "Go." },
          { role: "system", content: "d" },
        ],
      );
      assert.deepEqual(messages({ system: [{ text: "a" }] }, { systemRole: "developer" }), [
        { role: "developer", content: "a" },
        { role: "user", content: "Go." },
      ]);
    },
  },
  {
    name: "results of one turn become a message each, ahead of what the user says",
    run() {
      assert.deepEqual(
        messages({
          turns: [{
            role: "user",
            parts: [
              { type: "tool-result", callId: "1", content: [{ type: "text", text: "ok" }] },
              {
                type: "tool-result",
                callId: "2",
                isError: true,
                content: [{ type: "text", text: "gone" }],
              },
              { type: "text", text: "And now?" },
            ],
          }],
        }),
        [
          { role: "tool", tool_call_id: "1", content: "ok" },
          { role: "tool", tool_call_id: "2", content: "Error: gone" },
          { role: "user", content: "And now?" },
        ],
      );
    },
  },
  {
    name: "an image in a tool result is described, with a warning",
    run() {
      const turns: Call["turns"] = [{
        role: "tool",
        parts: [{
          type: "tool-result",
          callId: "1",
          content: [{ type: "image", source: { kind: "url", url: "https://example.org/a.png" } }],
        }],
      }];
      assert.deepEqual(messages({ turns }), [
        { role: "tool", tool_call_id: "1", content: "[image left out]" },
      ]);
      assert.deepEqual(codes({ turns }), ["tool_result_image_dropped /messages/0"]);
    },
  },
  {
    name: "what has no place fails the leg, what has little is dropped with a warning",
    run() {
      const part = (parts: Call["turns"][number]["parts"]) => () =>
        encode({ turns: [{ role: "user", parts }] });
      const computer = { dialect: "other", value: {} };
      assert.throws(part([{ type: "native", kind: "computer", native: computer }]), {
        code: "unsupported_content",
      });
      assert.throws(part([{ type: "file", source: { kind: "id", id: "f" } }]), {
        code: "state_not_portable",
      });
      assert.throws(
        () => encode({ tools: [{ type: "native", kind: "computer", native: computer }] }),
        { code: "unsupported_content" },
      );
      assert.deepEqual(codes({ sampling: { topK: 4 }, extras: { thinking: 1 } }), [
        "parameter_dropped /thinking",
        "parameter_dropped /top_k",
      ]);
      assert.equal(encode({ sampling: { topK: 4 } }, { topKField: "top_k" }).value["top_k"], 4);
    },
  },
  {
    name: "a profile spells what a service wants",
    run() {
      const members: Partial<Call> = {
        maxOutputTokens: 9,
        user: "ann",
        stream: true,
        sampling: { temperature: 1, n: 2 },
        turns: [{ role: "user", name: "bob", parts: [{ type: "text", text: "Go." }] }],
      };
      const profile = {
        maxTokensField: "max_tokens",
        userField: "user",
        streamUsage: false,
        strip: ["temperature"],
        stripMessage: ["name"],
      };
      const { value, warnings } = encode(members, profile);
      assert.deepEqual(value, {
        model: "m",
        messages: [{ role: "user", content: "Go." }],
        stream: true,
        n: 2,
        max_tokens: 9,
        user: "ann",
      });
      assert.deepEqual(warnings.map(({ path }) => path), ["/messages/0/name", "/temperature"]);
      assert.throws(() => encode(members, { singleAnswer: true }), { code: "unsupported_content" });
    },
  },
  {
    name: "a budget becomes the nearest effort that is not above it",
    run() {
      const budgets = [0, 511, 512, 1024, 5000, 12_288, 99_999];
      assert.deepEqual(
        budgets.map((budgetTokens) =>
          encode({ reasoning: { budgetTokens } }).value["reasoning_effort"]
        ),
        ["none", "none", "minimal", "low", "medium", "high", "xhigh"],
      );
    },
  },
  {
    name: "an effort is written in the model's word, or not at all where it has none",
    run() {
      const efforts = { none: null, minimal: "low", low: "low", xhigh: null };
      const written = (effort: "none" | "minimal" | "low" | "high" | "xhigh") => {
        const { value, warnings } = encode({ reasoning: { effort } }, { efforts });
        return [value["reasoning_effort"], ...warnings.map(({ code }) => code)];
      };
      assert.deepEqual(written("none"), [undefined]);
      assert.deepEqual(written("minimal"), ["low", "reasoning_effort_approximated"]);
      assert.deepEqual(written("low"), ["low"]);
      assert.deepEqual(written("high"), ["high"]);
      assert.deepEqual(written("xhigh"), [undefined, "parameter_dropped"]);
    },
  },
  {
    name: "members of the profile stand in the body unless the call brings its own",
    run() {
      const profile = { members: { reasoning_format: "parsed" } };
      assert.equal(encode({}, profile).value["reasoning_format"], "parsed");
      const own = decode({ reasoning_format: "raw" });
      const again = dialect.encodeRequest(own, { model: "m", family: "test", profile });
      assert.equal(again.value["reasoning_format"], "raw");
    },
  },
  {
    name: "an effort without a canonical word stays, and max counts as the highest",
    run() {
      const decoded = decode({ reasoning_effort: "max" });
      assert.deepEqual(decoded.reasoning, { effort: "xhigh" });
      const again = dialect.encodeRequest(decoded, { model: "m", family: "test" });
      assert.equal(again.value["reasoning_effort"], "max");
    },
  },
  {
    name: "broken argument text is handed on with a warning and given back as it was",
    run() {
      const broken = { id: "1", type: "function", function: { name: "f", arguments: '{"a":' } };
      const body = { model: "m", messages: [{ role: "assistant", tool_calls: [broken] }] };
      const { value, warnings } = dialect.decodeRequest(body, "chat");
      const [part] = value.turns[0]!.parts;
      assert.deepEqual(part?.type === "tool-call" && part.input, { _raw: '{"a":' });
      assert.deepEqual(warnings.map(({ path }) => path), [
        "/messages/0/tool_calls/0/function/arguments",
      ]);
      assert.deepEqual(dialect.encodeRequest(value, { model: "m", family: "t" }).value, body);
    },
  },
  {
    name: "a choice that names an absent tool is refused",
    run() {
      const choice = { type: "function", function: { name: "gone" } };
      assert.throws(() => decode({ tool_choice: choice }), {
        code: "invalid_request",
        param: "tool_choice",
      });
    },
  },
  {
    name: "an allowed subset of another dialect filters the tools",
    run() {
      const tools: Call["tools"] = ["a", "b"].map((name) => ({ type: "function", name }));
      const { value } = encode({
        tools,
        toolChoice: { type: "allowed", mode: "required", names: ["b"] },
      });
      assert.deepEqual(value["tools"], [{ type: "function", function: { name: "b" } }]);
      assert.equal(value["tool_choice"], "required");
    },
  },
  {
    name: "tool names outside the alphabet are mapped, and mapped back in answers",
    run() {
      const { value, toolNames } = encode({ tools: [{ type: "function", name: "wetter.köln" }] });
      const [wire] = [...toolNames!.keys()];
      assert.match(wire!, /^[a-zA-Z0-9_-]{1,64}$/);
      assert.deepEqual(value["tools"], [{ type: "function", function: { name: wire } }]);
      const made = { id: "1", type: "function", function: { name: wire!, arguments: "{}" } };
      const message = { role: "assistant", tool_calls: [made] };
      const body = { choices: [{ index: 0, message, finish_reason: "tool_calls" }] };
      const named = (parts: readonly { readonly type: string }[]) =>
        parts.some((part) => "name" in part && part.name === "wetter.köln");
      assert.ok(named(dialect.decodeResponse(body, "chat", { toolNames: toolNames! }).value));
      const decoder = dialect.streamDecoder({ toolNames: toolNames! });
      const chunk = chunkOf({ tool_calls: [{ index: 0, ...made }] }, "tool_calls");
      assert.ok(named(assembleParts([
        ...decoder.push({ data: JSON.stringify(chunk) }),
        ...decoder.end(),
      ])));
    },
  },
  {
    name: "a forced call that ends with stop, and a refusal, keep their meaning",
    run() {
      const reason = (message: JsonObject) =>
        dialect.decodeResponse({ choices: [{ index: 0, message, finish_reason: "stop" }] }, "chat")
          .value.find((part) => part.type === "finish")?.reason;
      const calls = [{ id: "1", type: "function", function: { name: "f", arguments: "{}" } }];
      assert.equal(reason({ tool_calls: calls }), "tool-use");
      assert.equal(reason({ refusal: "No." }), "refusal");
      assert.equal(reason({ content: "a" }), "end");
    },
  },
  {
    name: "a refusal of another dialect that has no words gets some, plain and streamed",
    run() {
      const refused: Part[] = [
        { type: "text", choice: 0, text: "Here is" },
        { type: "finish", choice: 0, reason: "refusal", raw: "refusal" },
      ];
      const { value, warnings } = dialect.encodeResponse(refused, context);
      assert.deepEqual(warnings.map(({ code, path }) => `${code} ${path}`), [
        "refusal_synthesized /choices/0/message/refusal",
      ]);
      const plain = dialect.decodeResponse(value, "chat").value;
      assert.equal(plain.find(({ type }) => type === "refusal")?.type, "refusal");
      assert.equal(plain.find((part) => part.type === "finish")?.reason, "refusal");
      const encoder = dialect.streamEncoder({ ...context, stream: true });
      const frames = [
        ...encoder.push({ type: "block-start", index: 0, block: refused[0] as TextBlock }),
        ...encoder.push({ type: "block-end", index: 0 }),
        ...encoder.push(refused[1] as FinishPart),
        ...encoder.end(),
      ];
      const decoder = dialect.streamDecoder();
      const streamed = assembleParts([
        ...frames.flatMap((frame) => [...decoder.push(frame)]),
        ...decoder.end(),
      ]);
      const words = (parts: readonly Part[]) =>
        parts.flatMap((part) => part.type === "refusal" ? [part.text] : []);
      assert.equal(words(plain).length, 1);
      assert.deepEqual(words(streamed), words(plain));
      assert.equal(streamed.find((part) => part.type === "finish")?.reason, "refusal");
    },
  },
  {
    name: "an unknown finish reason becomes the end, with a warning",
    run() {
      const body = { choices: [{ index: 0, message: { content: "a" }, finish_reason: "tired" }] };
      const { value, warnings } = dialect.decodeResponse(body, "chat");
      assert.deepEqual(warnings.map(({ code }) => code), ["unknown_finish_reason"]);
      const finish = value.find((part) => part.type === "finish");
      assert.deepEqual([finish?.reason, finish?.raw], ["end", "tired"]);
    },
  },
  {
    name: "reasons the dialect has no word for are approximated with a warning",
    run() {
      const reasons = ["pause", "malformed-tool", "malformed-output", "context-exceeded"] as const;
      const written = reasons.map((reason) => {
        const { value, warnings } = dialect.encodeResponse(
          [{ type: "text", choice: 0, text: "a" }, { type: "finish", choice: 0, reason }],
          context,
        );
        const [choice] = value["choices"] as readonly JsonObject[];
        return [choice?.["finish_reason"], warnings.length];
      });
      assert.deepEqual(written, [["stop", 1], ["tool_calls", 1], ["stop", 1], ["length", 0]]);
    },
  },
  {
    name: "a caller of the legacy functions is answered with a function call, plain and streamed",
    run() {
      const asked = decode({ functions: [{ name: "add" }] });
      const made: Part[] = [
        { type: "tool-call", choice: 0, id: "1", name: "add", arguments: "{}" },
        { type: "finish", choice: 0, reason: "tool-use" },
      ];
      const target = { ...context, call: asked };
      const [choice] = dialect.encodeResponse(made, target)
        .value["choices"] as readonly JsonObject[];
      assert.deepEqual(choice?.["message"], {
        role: "assistant",
        content: null,
        refusal: null,
        function_call: { name: "add", arguments: "{}" },
      });
      assert.equal(choice?.["finish_reason"], "function_call");
      const encoder = dialect.streamEncoder({ ...target, stream: true });
      const parts: StreamPart[] = [
        { type: "block-start", index: 0, block: made[0] as Extract<Part, { type: "tool-call" }> },
        { type: "block-end", index: 0 },
        { type: "finish", choice: 0, reason: "tool-use" },
      ];
      const text = JSON.stringify(parts.flatMap((part) => [...encoder.push(part)]));
      assert.ok(text.includes("function_call") && !text.includes("tool_calls"));
    },
  },
  {
    name: "signatures of another family travel packed and come back unpacked",
    run() {
      const parts: Part[] = [
        { type: "reasoning", choice: 0, text: "think", signature: "s" },
        { type: "text", choice: 0, text: "a" },
        { type: "finish", choice: 0, reason: "end" },
      ];
      const target = { ...context, family: "other" };
      const [choice] = dialect.encodeResponse(parts, target)
        .value["choices"] as readonly JsonObject[];
      const message = choice!["message"] as JsonObject;
      assert.equal(message["reasoning_content"], "think");
      const body = { model: "m", messages: [{ role: "user", content: "a" }, message] };
      const [reasoning] = dialect.decodeRequest(body, "chat").value.turns[1]!.parts;
      assert.deepEqual(reasoning, {
        type: "reasoning",
        path: "/messages/1",
        text: "think",
        family: "other",
        signature: "s",
      });
      const cleaned = dialect.inbound!.withoutMarks!(body, "chat", "mine");
      assert.equal(JSON.stringify(cleaned.value).includes("reasoning"), false);
      assert.deepEqual(cleaned.warnings.map(({ code }) => code), ["reasoning_dropped"]);
      assert.equal(dialect.inbound!.withoutMarks!(body, "chat", "other").value, body);
      const clean = { model: "m", messages: [{ role: "assistant", reasoning_content: "own" }] };
      assert.equal(dialect.inbound!.withoutMarks!(clean, "chat", "mine").value, clean);
    },
  },
  {
    name:
      "reasoning of another dialect is given to a service with a place for it, its signature to its family",
    run() {
      const part = { type: "reasoning", text: "think", signature: "s", family: "test" } as const;
      const turns: Call["turns"] = [{ role: "assistant", parts: [part] }];
      const keeps = { reasoningField: "reasoning_content" };
      const [kept] = messages({ turns }, keeps) as readonly JsonObject[];
      assert.equal(kept?.["reasoning_content"], "think");
      assert.equal(JSON.stringify(kept).includes("reasoning_details"), true);
      assert.deepEqual(codes({ turns }, keeps), []);
      const foreign: Call["turns"] = [{ role: "assistant", parts: [{ ...part, family: "x" }] }];
      const [bare] = messages({ turns: foreign }, keeps) as readonly JsonObject[];
      assert.equal(JSON.stringify(bare).includes("reasoning_details"), false);
      assert.deepEqual(codes({ turns: foreign }, keeps), ["reasoning_dropped /messages/0"]);
      assert.deepEqual(messages({ turns }), [{ role: "assistant", content: "" }]);
      assert.deepEqual(codes({ turns }), ["reasoning_dropped /messages/0"]);
    },
  },
  {
    name: "fragments of parallel calls may interleave, and services may miscount them",
    run() {
      const piece = (index: number | undefined, members: JsonObject) =>
        chunkOf({ tool_calls: [{ ...(index === undefined ? {} : { index }), ...members }] });
      const begin = (id: string) => ({
        id,
        type: "function",
        function: { name: id, arguments: "" },
      });
      const more = (text: string) => ({ function: { arguments: text } });
      const calls = (chunks: readonly JsonObject[]) =>
        stream([...chunks, chunkOf({}, "tool_calls")])
          .flatMap((part) => part.type === "tool-call" ? [[part.id, part.arguments]] : []);
      const wanted = [["a", '{"x":1}'], ["b", '{"y":2}']];
      assert.deepEqual(
        calls([
          piece(0, begin("a")),
          piece(1, begin("b")),
          piece(0, more('{"x":')),
          piece(1, more('{"y":')),
          piece(0, more("1}")),
          piece(1, more("2}")),
        ]),
        wanted,
      );
      assert.deepEqual(
        calls([
          piece(0, begin("a")),
          piece(0, more('{"x":1}')),
          piece(0, begin("b")),
          piece(0, more('{"y":2}')),
        ]),
        wanted,
      );
      assert.deepEqual(
        calls([
          piece(undefined, begin("a")),
          piece(undefined, more('{"x":1}')),
          piece(undefined, begin("b")),
          piece(undefined, more('{"y":2}')),
        ]),
        wanted,
      );
    },
  },
  {
    name: "a call that is whole is closed before the next begins, text before a call",
    run() {
      const decoder = dialect.streamDecoder();
      const made = (index: number) => ({
        tool_calls: [{ index, id: `c${index}`, function: { name: "f", arguments: "{}" } }],
      });
      const chunks = [chunkOf({ content: "a" }), chunkOf(made(0)), chunkOf(made(1))];
      const borders = chunks.flatMap((chunk) => [...decoder.push({ data: JSON.stringify(chunk) })])
        .flatMap((part) =>
          part.type === "block-start" || part.type === "block-end" ? [[part.type, part.index]] : []
        );
      assert.deepEqual(borders, [
        ["block-start", 0],
        ["block-end", 0],
        ["block-start", 1],
        ["block-end", 1],
        ["block-start", 2],
      ]);
    },
  },
  {
    name: "a custom tool's call and sound come whole out of a stream",
    run() {
      const parts = stream([
        chunkOf({
          tool_calls: [{ index: 0, id: "1", type: "custom", custom: { name: "sh", input: "" } }],
        }),
        chunkOf({ tool_calls: [{ index: 0, custom: { input: "ls" } }] }),
        chunkOf({ audio: { id: "s", data: "AA" } }),
        chunkOf({ audio: { data: "BB", transcript: "hi" } }, "stop"),
      ]);
      const natives = parts.flatMap((part) => part.type === "native" ? [part.native.value] : []);
      assert.deepEqual(natives, [
        { id: "s", data: "AABB", transcript: "hi" },
        { id: "1", type: "custom", custom: { name: "sh", input: "ls" } },
      ]);
    },
  },
  {
    name: "vectors are written in base64 when the caller asked for them so",
    run() {
      const asked = dialect.decodeRequest(
        { model: "m", input: "a", encoding_format: "base64" },
        "embeddings",
      ).value;
      const parts: Part[] = [{ type: "embedding", index: 0, vector: [0.5, -2] }];
      const target: AnswerContext = { ...context, operation: "embeddings", call: asked };
      const { value } = dialect.encodeResponse(parts, target);
      const [item] = value["data"] as readonly JsonObject[];
      assert.equal(item?.["embedding"], "AAAAPwAAAMA=");
      assert.deepEqual(
        dialect.decodeResponse(value, "embeddings").value.filter((part) =>
          part.type === "embedding"
        ),
        parts,
      );
    },
  },
];

await runCases("translation", cases);
