import { test } from "vitest";
import { playSequences } from "./testing.ts";

test("no sequence of steps tells the store from the reference, 20,000 times", () =>
  playSequences(20_000));
