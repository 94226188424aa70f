import { expect, test } from "vitest";
import { createToolNames, type NameAlphabet, spellName } from "./tool-names.ts";

const alphabet: NameAlphabet = { forbidden: /[^a-zA-Z0-9_-]/g, maxLength: 64 };

test("names that fit stay and need no way back", () => {
  const names = createToolNames(["get_weather", "a-b", "x".repeat(64)], alphabet);
  expect(names.toWire("get_weather")).toBe("get_weather");
  expect(names.changed).toBeUndefined();
});

test("names outside the alphabet are spelled inside it and lead back", () => {
  const odd = ["files.read", "files/read", "wetter für Köln", "x".repeat(200), ""];
  const names = createToolNames(odd, alphabet);
  for (const name of odd) {
    const wire = names.toWire(name);
    expect(wire).toMatch(/^[a-zA-Z0-9_-]{1,64}$/);
    expect(names.changed?.get(wire)).toBe(name);
  }
  expect(names.changed?.size).toBe(odd.length);
});

test("a name is spelled the same whatever other tools there are", () => {
  const alone = createToolNames(["a.b"], alphabet).toWire("a.b");
  const among = createToolNames(["z", "a/b", "a.b", "a_b"], alphabet).toWire("a.b");
  expect(among).toBe(alone);
  expect(spellName("a.b", alphabet)).toBe(alone);
});

test("a name that fits keeps its spelling when another would come out equal", () => {
  const wire = spellName("a.b", alphabet);
  const names = createToolNames(["a.b", wire], alphabet);
  expect(names.toWire(wire)).toBe(wire);
  expect(names.toWire("a.b")).not.toBe(wire);
  expect(names.changed?.get(names.toWire("a.b"))).toBe("a.b");
});

test("a first character that is not allowed gets one before it", () => {
  const strict: NameAlphabet = { ...alphabet, badStart: /^[^a-zA-Z_]/ };
  expect(spellName("1st", strict)).toMatch(/^_1st_[0-9a-f]{8}$/);
  expect(spellName("first", strict)).toBe("first");
});
