import process from "node:process";
import { test } from "vitest";
import { playSequences } from "./sequences/testing.ts";

test("no sequence of steps tells the store from the reference", () =>
  playSequences(process.env["VMX_TEST_REDIS_URL"]!, 300));
