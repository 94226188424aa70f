import { test } from "vitest";
import { playSequences } from "./testing.ts";

test("no sequence of steps tells the store from the reference", () => playSequences(300));
