import { expect, test } from "vitest";
import { captureChunk, createCapture, releaseCapture } from "./capture.ts";

const piece = (length: number) => new Uint8Array(length);

test("streams of all requests together hold no more than the budget; the rest is counted", () => {
  const budget = { maxBytes: 100, heldBytes: 0 };
  const [one, other] = [createCapture(80, budget), createCapture(80, budget)];
  captureChunk(one, piece(60));
  captureChunk(other, piece(30));
  captureChunk(other, piece(30));
  // It would fit, but what is kept is a beginning without gaps.
  captureChunk(other, piece(5));
  expect([one.keptBytes, other.keptBytes, budget.heldBytes]).toEqual([60, 30, 90]);
  expect([one.totalBytes, other.totalBytes]).toEqual([60, 65]);

  releaseCapture(one);
  releaseCapture(one);
  expect(budget.heldBytes).toBe(30);
  const third = createCapture(80, budget);
  captureChunk(third, piece(70));
  captureChunk(third, piece(20));
  expect([third.keptBytes, third.totalBytes, budget.heldBytes]).toEqual([70, 90, 100]);
  releaseCapture(other);
  releaseCapture(third);
  expect(budget.heldBytes).toBe(0);
});
