import { expect, test } from "vitest";
import { completePattern, isGranted, matchedBy, matchesPattern } from "./pattern.ts";

const modules = [
  { name: "workspace", baseResource: "workspace" },
  {
    name: "ai-resource",
    baseResource: "workspace:{workspace}:environment:{environment}:ai-resource",
  },
];

test("a star is any run of characters, a question mark one, and all else itself", () => {
  expect(matchesPattern("chat-*", "chat-eu")).toBe(true);
  expect(matchesPattern("chat-?", "chat-eu")).toBe(false);
  expect(matchesPattern("a.b(c)", "a.b(c)")).toBe(true);
  expect(matchesPattern("a.b", "axb")).toBe(false);
});

test("a pattern that begins with a nested module is completed from the left", () => {
  expect(completePattern("ai-resource:chat", modules)).toBe(
    "workspace:*:environment:*:ai-resource:chat",
  );
  expect(completePattern("workspace:main:*", modules)).toBe("workspace:main:*");
});

test("objects are found by what a pattern means, not by what it begins with", () => {
  const resources = [
    "workspace:prod",
    "workspace:production",
    "workspace:prod:environment:eu:ai-resource:Chat-1",
  ];
  expect(matchedBy("workspace:prod", modules, resources)).toEqual(["workspace:prod"]);
  expect(matchedBy("ai-resource:chat-*", modules, resources)).toEqual([resources[2]]);
});

test("an action is granted when it is allowed somewhere and not denied everywhere", () => {
  const allow = { effect: "allow" as const, actions: ["*:get"], resources: ["*"] };
  const deny = { effect: "deny" as const, actions: ["user:*"], resources: ["*"] };
  expect(isGranted("user:get", [allow])).toBe(true);
  expect(isGranted("user:get", [allow, deny])).toBe(false);
  expect(isGranted("user:get", [allow, { ...deny, resources: ["user:a@b.c"] }])).toBe(true);
  expect(isGranted("user:list", [allow])).toBe(false);
});
