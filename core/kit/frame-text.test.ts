import { expect, test } from "vitest";
import { createFrameTextCounter, createMemberSearch, findMember } from "./frame-text.ts";
import { estimateTokens } from "./estimate.ts";

test("a member is found by name, not by a string of the same text", () => {
  const text = '{"type":"text","say":"\\"text\\": 1", "text" : "x"}';
  expect(text.slice(findMember(text, 'text"', 0, text.length))).toBe('"x"}');
  expect(findMember(text, 'none"', 0, text.length)).toBe(-1);
});

test("a search may begin again before the place where the last one ended", () => {
  const text = 'data: {"error":"no"}\n\ndata: {"error":"again"}\n\n';
  const search = createMemberSearch();
  const first = search.find(text, 'error"', 0, text.length);
  const second = search.find(text, 'error"', first, text.length);
  expect(search.find(text, 'error"', second, text.length)).toBe(-1);
  expect(search.find(text, 'error"', 0, text.length)).toBe(first);
  expect(search.find(text, 'error"', first, text.length)).toBe(second);
});

test("the counted text is estimated as the text itself would be", () => {
  for (const said of ["Hello there", "Grüße aus 東京 🌦", 'a "quoted" line\nand more']) {
    const counter = createFrameTextCounter(['text"', 'thinking"']);
    const bytes = Buffer.from(`data: {"type":"text","text":${JSON.stringify(said)}}\n\n`);
    const frame = bytes.toString("latin1");
    expect(counter.count(frame, 0, frame.length)).toBe(true);
    expect(counter.tokens()).toBe(estimateTokens(said));
  }
});

test("frames without text count nothing", () => {
  const counter = createFrameTextCounter(['text"']);
  const frame = 'data: {"text":""}\n\n';
  expect(counter.count(frame, 0, frame.length)).toBe(false);
  expect(counter.tokens()).toBe(0);
});
