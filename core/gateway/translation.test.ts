import { createServer, type Server, type ServerResponse } from "node:http";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { ResourceView } from "../store/snapshot.ts";
import {
  createSlot,
  type ScriptedUpstream,
  startScriptedUpstream,
  startTestGateway,
  type TestGateway,
} from "./testing.ts";

/* What callers may send that a leg of another dialect cannot be told: the code and message, or a warning. */

let gateway: TestGateway;
let upstream: ScriptedUpstream;
let media: Server;
let mediaUrl: string;

/** One connection per dialect of a leg. */
const legs = {
  "openai-chat": "openai-compatible",
  "openai-responses": "openai-compatible",
  "anthropic-messages": "anthropic",
  "gemini-generate-content": "gemini",
  "bedrock-converse": "aws-bedrock",
  groq: "groq",
} as const;
type Leg = keyof typeof legs;

const paths = {
  "openai-chat": "/chat/completions",
  "openai-responses": "/responses",
  "anthropic-messages": "/messages",
} as const;
type Caller = keyof typeof paths;
const callers = Object.keys(paths) as Caller[];

beforeAll(async () => {
  [gateway, upstream] = await Promise.all([
    startTestGateway({}, undefined, { privateRanges: "deny", allow: ["127.0.0.1"] }),
    startScriptedUpstream(),
  ]);
  media = createServer((request, response) => {
    if (request.url === "/image.png") {
      response.writeHead(200, { "content-type": "image/png" }).end("png");
    } else {
      const location = "http://169.254.169.254/latest/meta-data/";
      response.writeHead(302, { location }).end();
    }
  });
  await new Promise<void>((resolve) => media.listen(0, "127.0.0.1", resolve));
  mediaUrl = `http://127.0.0.1:${(media.address() as { port: number }).port}`;
});

afterAll(async () => {
  media.closeAllConnections();
  media.close();
  await Promise.all([gateway.stop(), upstream.stop()]);
});

beforeEach(() => {
  upstream.requests.length = 0;
  upstream.answer = (request, response) => json(response, answers[legOf(request.url!)]);
});

/** Points the resource `m` at legs, the first being the primary one. */
function route(first: Leg, fallbacks: readonly Leg[] = [], resource: Partial<ResourceView> = {}) {
  const slot = (leg: Leg) => {
    const { connectionId, provider } = gateway.snapshot.setConnection(leg, legs[leg], {
      config: configOf(leg),
    });
    return createSlot({ connectionId, provider, model: "up-1" });
  };
  gateway.snapshot.setResource("m", slot(first), {
    fallbackModels: fallbacks.map(slot),
    ...resource,
  });
}

function configOf(leg: Leg): Readonly<Record<string, unknown>> {
  const { baseUrl, apiKey } = upstream.config;
  const provider = legs[leg];
  if (provider === "aws-bedrock") {
    return { baseUrl, region: "us-east-1", accessKeyId: apiKey, secretAccessKey: apiKey };
  }
  return provider === "openai-compatible"
    ? { baseUrl, apiKey, dialects: [leg] }
    : { baseUrl, apiKey };
}

async function ask(caller: Caller, body: object) {
  const response = await fetch(`${gateway.baseURL}${paths[caller]}`, {
    method: "POST",
    headers: { authorization: `Bearer ${gateway.apiKey}` },
    body: JSON.stringify({ model: "m", ...body }),
  });
  const text = await response.text();
  return {
    status: response.status,
    warnings: response.headers.get("x-vmx-warnings"),
    headers: response.headers,
    text,
    // deno-lint-ignore no-explicit-any -- answers are looked into freely
    body: (text.startsWith("{") ? JSON.parse(text) : undefined) as any,
  };
}

/** The body the upstream got last. */
// deno-lint-ignore no-explicit-any -- bodies are looked into freely
const sent = (): any => JSON.parse(upstream.requests.at(-1)!.body);

function json(response: ServerResponse, body: unknown) {
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body));
}

function legOf(url: string): keyof typeof answers {
  if (url.includes("/chat/completions")) return "openai-chat";
  if (url.includes("/responses")) return "openai-responses";
  if (url.includes("/messages")) return "anthropic-messages";
  return url.includes("/converse") ? "bedrock-converse" : "gemini-generate-content";
}

const answers = {
  "openai-chat": {
    id: "c",
    object: "chat.completion",
    created: 1,
    model: "up-1",
    choices: [{
      index: 0,
      message: { role: "assistant", content: "hello" },
      finish_reason: "stop",
    }],
    usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
  },
  "openai-responses": {
    id: "r",
    object: "response",
    created_at: 1,
    model: "up-1",
    status: "completed",
    output: [{
      type: "message",
      id: "m",
      status: "completed",
      role: "assistant",
      content: [{ type: "output_text", text: "hello", annotations: [] }],
    }],
    usage: { input_tokens: 1, output_tokens: 1, total_tokens: 2 },
  },
  "anthropic-messages": {
    id: "a",
    type: "message",
    role: "assistant",
    model: "up-1",
    content: [{ type: "text", text: "hello" }],
    stop_reason: "end_turn",
    stop_sequence: null,
    usage: { input_tokens: 1, output_tokens: 1 },
  },
  "gemini-generate-content": {
    candidates: [{
      content: { role: "model", parts: [{ text: "hello" }] },
      finishReason: "STOP",
      index: 0,
    }],
    usageMetadata: { promptTokenCount: 1, candidatesTokenCount: 1, totalTokenCount: 2 },
  },
  "bedrock-converse": {
    output: { message: { role: "assistant", content: [{ text: "hello" }] } },
    stopReason: "end_turn",
    usage: { inputTokens: 1, outputTokens: 1, totalTokens: 2 },
  },
};

/** A request of each caller: one user message of these content parts, and further members. */
function request(caller: Caller, content: unknown, members: object = {}): object {
  if (caller === "openai-responses") return { input: [{ role: "user", content }], ...members };
  const messages = [{ role: "user", content }];
  return caller === "anthropic-messages"
    ? { messages, max_tokens: 100, ...members }
    : { messages, ...members };
}

/** The caller's word for the code of an error. */
const code = (body: { error: { code: string } }): string => body.error.code;

const foreign: [Caller, Leg][] = callers.flatMap((caller) =>
  (Object.keys(legs) as Leg[])
    .filter((leg) => leg !== caller && !(leg === "groq" && caller !== "anthropic-messages"))
    .map((leg): [Caller, Leg] => [caller, leg])
);

describe.each(foreign)("%s callers of a %s leg", (caller, leg) => {
  test("get 400 for a part nobody knows", async () => {
    route(leg);
    const answer = await ask(caller, request(caller, [{ type: "hologram", hologram: "x" }]));
    expect([answer.status, code(answer.body)]).toEqual([400, "unsupported_content"]);
    expect(answer.body.error.message).toContain("hologram");
    expect(upstream.requests).toEqual([]);
  });

  test("get 400 for a tool choice that names an absent tool", async () => {
    route(leg);
    const answer = await ask(caller, request(caller, "hi", toolsOf(caller, "there", "gone")));
    expect([answer.status, code(answer.body)]).toEqual([400, "invalid_request"]);
    expect(answer.body.error.message).toContain("gone");
    expect(upstream.requests).toEqual([]);
  });

  test("are told that a call cannot be demanded where no tool is offered", async () => {
    route(leg);
    const demanded = caller === "anthropic-messages" ? { type: "any" } : "required";
    const answer = await ask(caller, request(caller, "hi", { tool_choice: demanded }));
    expect([answer.status, answer.warnings]).toEqual([200, "parameter_dropped;/tool_choice"]);
    const free = caller === "anthropic-messages" ? { type: "auto" } : "auto";
    expect(await ask(caller, request(caller, "hi", { tool_choice: free })))
      .toMatchObject({ status: 200, warnings: null });
  });

  test("may use recursive schemas", async () => {
    route(leg);
    const answer = await ask(caller, request(caller, "hi", toolsOf(caller, "there", undefined)));
    expect(answer.status, answer.text).toBe(200);
    const body = upstream.requests.at(-1)!.body;
    if (leg === "gemini-generate-content") {
      expect(answer.warnings).toContain("schema_recursion_cut");
      expect(body).not.toContain("$ref");
      expect(body.length).toBeLessThan(20_000);
    } else expect(body).toContain("$ref");
  });
});

test.each(foreign.filter(([caller]) => caller !== "anthropic-messages"))(
  "%s callers are told when earlier arguments are no JSON, and a %s leg gets them whole",
  async (caller, leg) => {
    route(leg);
    const answer = await ask(caller, brokenHistory(caller));
    expect(answer.status, answer.text).toBe(200);
    expect(answer.warnings).toMatch(/argument/);
    expect(upstream.requests.at(-1)!.body).toContain('{\\"city\\":');
  },
);

const user = [{ role: "user", content: "hi" }];
const misshapen: Record<Caller, readonly (readonly [string, object])[]> = {
  "openai-chat": [
    ["messages[0].role", { messages: [{ role: "wizard", content: "hi" }] }],
    ["messages[0].content", { messages: [{ role: "user", content: 5 }] }],
    ["messages[0].content[0]", { messages: [{ role: "user", content: [null] }] }],
    ["messages[0].content[0].text", { messages: [{ role: "user", content: [{ type: "text" }] }] }],
    ["messages[0].tool_calls", { messages: [{ role: "assistant", tool_calls: "x" }] }],
    ["tools", { messages: user, tools: "x" }],
    ["tools[0].function.name", { messages: user, tools: [{ type: "function", function: {} }] }],
    ["max_tokens", { messages: user, max_tokens: "many" }],
    ["temperature", { messages: user, temperature: "hot" }],
    ["stop[0]", { messages: user, stop: [5] }],
    ["response_format", { messages: user, response_format: 5 }],
  ],
  "openai-responses": [
    ["input[0].content", { input: [{ type: "message", role: "user" }] }],
    ["input[0].content", { input: [{ role: "user", content: 5 }] }],
    ["input[0].call_id", { input: [{ type: "function_call" }] }],
    ["input[0].output", { input: [{ type: "function_call_output", call_id: "1", output: 5 }] }],
    ["instructions", { input: "hi", instructions: 5 }],
    ["tools[0].name", { input: "hi", tools: [{ type: "function" }] }],
    ["max_output_tokens", { input: "hi", max_output_tokens: "many" }],
    ["reasoning", { input: "hi", reasoning: 5 }],
  ],
  "anthropic-messages": [
    ["messages[0].content[0]", { messages: [{ role: "user", content: [null] }] }],
    ["messages[0].content[0].text", { messages: [{ role: "user", content: [{ type: "text" }] }] }],
    ["messages[0].content[0].id", {
      messages: [{ role: "assistant", content: [{ type: "tool_use" }] }],
    }],
    ["messages[0].content[0].tool_use_id", {
      messages: [{ role: "user", content: [{ type: "tool_result" }] }],
    }],
    ["system", { messages: user, system: 5 }],
    ["tools[0].input_schema", { messages: user, tools: [{ name: "f", input_schema: 5 }] }],
    ["thinking.type", { messages: user, thinking: {} }],
    ["stop_sequences", { messages: user, stop_sequences: 5 }],
  ],
};

test.each(foreign)(
  "%s callers of a %s leg are told which member has the wrong type",
  async (caller, leg) => {
    route(leg);
    for (const [member, body] of misshapen[caller]) {
      const needed = caller === "anthropic-messages" ? { max_tokens: 10 } : {};
      const answer = await ask(caller, { ...needed, ...body });
      expect([member, answer.status, code(answer.body)]).toEqual([member, 400, "invalid_request"]);
      expect(answer.body.error.message).toContain(`Cannot read the request: ${member} `);
    }
    expect(upstream.requests).toEqual([]);
  },
);

test("arguments that are no JSON in an answer reach the caller whole, with a warning", async () => {
  route("openai-chat");
  const [choice] = answers["openai-chat"].choices;
  const tool_calls = [{ id: "c", type: "function", function: { name: "f", arguments: '{"a":' } }];
  upstream.answer = (_request, response) =>
    json(response, {
      ...answers["openai-chat"],
      choices: [{ ...choice, message: { role: "assistant", content: null, tool_calls } }],
    });
  const { body } = await ask("anthropic-messages", request("anthropic-messages", "hi"));
  expect(body.content).toMatchObject([{ type: "tool_use", name: "f", input: { _raw: '{"a":' } }]);
  expect(body.vmx.warnings).not.toEqual([]);
});

const large = "x".repeat(1_500_000);

test.each(["openai-chat", "openai-responses"] as const)(
  "one event of more than a mebibyte reaches %s callers of another dialect's leg",
  async (caller) => {
    route("anthropic-messages");
    const { content: _, ...message } = answers["anthropic-messages"];
    const delta = (text: string) => ({ index: 0, delta: { type: "text_delta", text } });
    const events = [
      ["message_start", { message: { ...message, content: [], stop_reason: null } }],
      ["content_block_start", { index: 0, content_block: { type: "text", text: "" } }],
      ["content_block_delta", delta("a")],
      ["content_block_delta", delta(large)],
      ["content_block_stop", { index: 0 }],
      ["message_delta", { delta: { stop_reason: "end_turn" }, usage: { output_tokens: 1 } }],
      ["message_stop", {}],
    ] as const;
    upstream.answer = (_request, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      for (const [type, data] of events) {
        response.write(`event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`);
      }
      response.end();
    };
    const { status, text } = await ask(caller, request(caller, "hi", { stream: true }));
    expect(status).toBe(200);
    expect(text).toContain(large);
    expect(text).toContain(caller === "openai-chat" ? "data: [DONE]" : "response.completed");
    expect(gateway.outcomes.at(-1)!.status).toBe("ok");
  },
);

function imageOf(caller: Caller, url: string): object {
  switch (caller) {
    case "openai-chat":
      return { type: "image_url", image_url: { url } };
    case "openai-responses":
      return { type: "input_image", image_url: url };
    case "anthropic-messages":
      return { type: "image", source: { type: "url", url } };
  }
}

describe.each(callers)("images of %s callers", (caller) => {
  test("are fetched for a leg that takes bytes only", async () => {
    route("bedrock-converse");
    const image = imageOf(caller, `${mediaUrl}/image.png`);
    const answer = await ask(caller, request(caller, [image]));
    expect(answer.status, answer.text).toBe(200);
    expect(upstream.requests.at(-1)!.body).toContain(Buffer.from("png").toString("base64"));
  });

  test.each([
    ["a private address", "http://10.0.0.5/image.png"],
    ["a metadata address", "http://169.254.169.254/latest/meta-data/image.png"],
    ["an address in another spelling", "http://[::ffff:10.0.0.5]/image.png"],
    ["a redirect to a metadata address", "redirect"],
  ])("on %s are refused before anything is called", async (_name, url) => {
    route("bedrock-converse");
    const image = imageOf(caller, url === "redirect" ? `${mediaUrl}/redirect` : url);
    const answer = await ask(caller, request(caller, [image]));
    expect([answer.status, code(answer.body)]).toEqual([400, "egress_refused"]);
    expect(upstream.requests).toEqual([]);
  });

  test("that cannot be had fail the leg, so that a leg that fetches by itself may serve", async () => {
    const spare = caller === "openai-chat" ? "openai-responses" : "openai-chat";
    route("bedrock-converse", [spare]);
    const url = "http://10.0.0.5/image.png";
    const answer = await ask(caller, request(caller, [imageOf(caller, url)]));
    expect(answer.status, answer.text).toBe(200);
    expect(answer.headers.get("x-vmx-event-0-fallback-status-code")).toBe("400");
    expect(upstream.requests.at(-1)!.body).toContain(url);
  });
});

const single: Leg[] = [
  "openai-responses",
  "anthropic-messages",
  "bedrock-converse",
  "groq",
];

test.each(single)(
  "several answers from a %s leg are refused, and a leg that has them serves",
  async (leg) => {
    route(leg);
    const body = request("openai-chat", "hi", { n: 2 });
    const refused = await ask("openai-chat", body);
    expect([refused.status, code(refused.body)]).toEqual([400, "unsupported_content"]);
    expect(refused.body.error.message).toMatch(/\bn\b/);
    expect(upstream.requests).toEqual([]);
    route(leg, ["openai-chat"]);
    const served = await ask("openai-chat", body);
    expect(served.status).toBe(200);
    expect(sent().n).toBe(2);
  },
);

/** Loses `seed` on a Messages leg. */
const lossy = request("openai-chat", "hi", { seed: 7, max_completion_tokens: 10 });

describe("a loss on the way to the provider", () => {
  test("is told in headers and body by default", async () => {
    route("anthropic-messages");
    const { status, warnings, body } = await ask("openai-chat", lossy);
    expect(status).toBe(200);
    expect(warnings).toBe("parameter_dropped;/seed");
    expect(body.vmx.warnings).toMatchObject([
      { code: "parameter_dropped", path: "/seed", action: "dropped" },
    ]);
    expect(sent()).not.toHaveProperty("seed");
  });

  test("is only on record when it is allowed", async () => {
    route("anthropic-messages", [], { onLoss: "allow" });
    const { status, warnings, body } = await ask("openai-chat", lossy);
    expect(status).toBe(200);
    expect(warnings).toBeNull();
    expect(body.vmx.warnings).toEqual([]);
    expect(gateway.outcomes.at(-1)!.exchange.legs[0]!.warnings).toMatchObject([{ path: "/seed" }]);
  });

  test("fails the leg before the call when it is to be rejected, naming all paths", async () => {
    route("anthropic-messages", [], { onLoss: "reject" });
    const both = { ...lossy, logit_bias: { 1: 1 } };
    const { status, body } = await ask("openai-chat", both);
    expect([status, code(body)]).toEqual([400, "translation_loss"]);
    expect(body.error.message).toContain("/seed");
    expect(body.error.message).toContain("/logit_bias");
    expect(upstream.requests).toEqual([]);
  });

  test("that is rejected leaves the request to a leg without loss", async () => {
    route("anthropic-messages", ["openai-chat"], { onLoss: "reject" });
    const { status, warnings, headers, body } = await ask("openai-chat", lossy);
    expect(status).toBe(200);
    expect(warnings).toBeNull();
    expect(headers.get("x-vmx-event-0-fallback-failure-reason")).toBe("Translation loss");
    expect(body.vmx.warnings).toEqual([]);
    expect(sent().seed).toBe(7);
  });

  test("on one leg is not told of another that serves", async () => {
    route("anthropic-messages", ["openai-chat"]);
    upstream.answer = (incoming, response) => {
      if (legOf(incoming.url!) === "openai-chat") json(response, answers["openai-chat"]);
      else response.writeHead(503).end();
    };
    const { status, warnings } = await ask("openai-chat", lossy);
    expect([status, warnings]).toEqual([200, null]);
  });

  test("in the answer is a warning also where losses are rejected", async () => {
    route("openai-chat", [], { onLoss: "reject" });
    const [choice] = answers["openai-chat"].choices;
    upstream.answer = (_request, response) =>
      json(response, {
        ...answers["openai-chat"],
        choices: [choice, { ...choice, index: 1 }],
      });
    const body = request("anthropic-messages", "hi");
    const { status, body: answer } = await ask("anthropic-messages", body);
    expect(status).toBe(200);
    expect(answer.vmx.warnings).not.toEqual([]);
  });
});

const node = {
  type: "object",
  properties: {
    value: { type: "string" },
    children: { type: "array", items: { $ref: "#/$defs/node" } },
  },
};

/** A tool with a recursive schema, and a choice of a tool by name. */
function toolsOf(caller: Caller, name: string, choice: string | undefined): object {
  const parameters = {
    type: "object",
    properties: { root: { $ref: "#/$defs/node" } },
    $defs: { node },
  };
  switch (caller) {
    case "openai-chat":
      return {
        tools: [{ type: "function", function: { name, parameters } }],
        ...(choice && { tool_choice: { type: "function", function: { name: choice } } }),
      };
    case "openai-responses":
      return {
        tools: [{ type: "function", name, parameters, strict: false }],
        ...(choice && { tool_choice: { type: "function", name: choice } }),
      };
    case "anthropic-messages":
      return {
        tools: [{ name, input_schema: parameters }],
        ...(choice && { tool_choice: { type: "tool", name: choice } }),
      };
  }
}

function brokenHistory(caller: Caller): object {
  const broken = '{"city":';
  if (caller === "openai-responses") {
    return {
      input: [
        { role: "user", content: "hi" },
        { type: "function_call", call_id: "c1", name: "there", arguments: broken },
        { type: "function_call_output", call_id: "c1", output: "no" },
      ],
      tools: [{ type: "function", name: "there", parameters: { type: "object" }, strict: false }],
    };
  }
  return {
    messages: [
      { role: "user", content: "hi" },
      {
        role: "assistant",
        content: null,
        tool_calls: [{
          id: "c1",
          type: "function",
          function: { name: "there", arguments: broken },
        }],
      },
      { role: "tool", tool_call_id: "c1", content: "no" },
    ],
    tools: [{ type: "function", function: { name: "there", parameters: { type: "object" } } }],
  };
}
