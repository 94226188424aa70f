import { expect, test } from "vitest";
import { createEstimates, type ExpectedRequest, type RealTokens } from "./estimates.ts";

const request: ExpectedRequest = {
  connectionId: "c",
  resourceId: "r",
  model: "m",
  inputTokens: 1_000,
  maxOutputTokens: undefined,
  writes: true,
  reservation: "learned",
  outputTokensBeforeLearning: 512,
};
const real: RealTokens = {
  connectionId: "c",
  resourceId: "r",
  model: "m",
  estimatedInputTokens: 1_000,
  inputTokens: 1_000,
  outputTokens: 100,
};

test("until ten answers are known the environment's figure stands in for the mean", () => {
  const estimates = createEstimates();
  for (let at = 0; at < 9; at++) estimates.learn(real);
  expect(estimates.expect(request).output).toBe(512);
  estimates.learn(real);
  expect(estimates.expect(request).output).toBe(100);
  expect(estimates.expect({ ...request, resourceId: "other" }).output).toBe(512);
});

test("the mean moves a tenth of the way to each answer, and the request's own bound holds", () => {
  const estimates = createEstimates();
  for (let at = 0; at < 10; at++) estimates.learn(real);
  estimates.learn({ ...real, outputTokens: 1_100 });
  expect(estimates.expect(request).output).toBe(200);
  expect(estimates.expect({ ...request, maxOutputTokens: 50 }).output).toBe(50);
});

test("input is calibrated per connection and model, within a half and three", () => {
  const estimates = createEstimates();
  estimates.learn({ ...real, inputTokens: 2_000 });
  expect(estimates.expect(request).input).toBe(1_100);
  for (let at = 0; at < 200; at++) estimates.learn({ ...real, inputTokens: 90_000 });
  expect(estimates.expect(request).input).toBe(3_000);
  for (let at = 0; at < 300; at++) estimates.learn({ ...real, inputTokens: 1 });
  expect(estimates.expect(request).input).toBeLessThanOrEqual(501);
  expect(estimates.expect({ ...request, connectionId: "other" }).input).toBe(1_000);
});

test("the most is reserved when asked for, 4096 for a request without a bound", () => {
  const estimates = createEstimates();
  const most = { ...request, reservation: "max" } as const;
  expect(estimates.expect(most).output).toBe(4_096);
  expect(estimates.expect({ ...most, maxOutputTokens: 9_000 }).output).toBe(9_000);
  expect(estimates.expect({ ...most, writes: false }).output).toBe(0);
});
