import { expect, test } from "vitest";
import { bodyOf, type Dialect, plainAttempt } from "./body.ts";

const body = (dialect: Dialect, changes: object = {}) =>
  bodyOf({ ...plainAttempt("demo", undefined), dialect, prompt: "Hi", stream: false, ...changes });

test("each language has its own words for effort and for searching the web", () => {
  const asked = { effort: "low", webSearch: true };
  expect(body("chat", asked)).toMatchObject({ reasoning_effort: "low", web_search_options: {} });
  expect(body("responses", asked)).toMatchObject({
    reasoning: { effort: "low" },
    tools: [{ type: "web_search" }],
  });
  expect(body("messages", asked)).toMatchObject({
    thinking: { type: "enabled", budget_tokens: 1_024 },
    // What is thought is not taken from the answer.
    max_tokens: 2_048,
    tools: [{ name: "web_search" }],
  });
});

test("what nobody asked for is not sent", () => {
  expect(body("chat")).toEqual({
    model: "demo",
    messages: [{ role: "user", content: "Hi" }],
    vmx: {},
  });
  expect(body("messages")).toMatchObject({ max_tokens: 1_024 });
  expect(body("messages")).not.toHaveProperty("thinking");
});

test("further members win, and overrides go along in the envelope", () => {
  const { messages, vmx } = bodyOf({
    ...plainAttempt("demo", { defaultArgs: { temperature: 0 } }),
    extra: { messages: [] },
  });
  expect(messages).toEqual([]);
  expect(vmx).toEqual({
    includeMetrics: true,
    resourceConfigOverrides: { defaultArgs: { temperature: 0 } },
  });
});
