import { expect, test } from "vitest";
import { differences } from "./differences.ts";

test("what a request gained, lost and changed on its way is told step by step", () => {
  const received = { model: "chat", messages: [{ role: "user", content: "Hi" }], vmx: { a: 1 } };
  const sent = {
    model: "gpt-x",
    messages: [{ role: "user", content: "Hi" }, { role: "user", content: "there" }],
    "max/tokens": 5,
  };
  expect(differences(received, sent)).toEqual([
    { op: "replace", path: "/model", value: "gpt-x" },
    { op: "add", path: "/messages/1", value: { role: "user", content: "there" } },
    { op: "remove", path: "/vmx" },
    { op: "add", path: "/max~1tokens", value: 5 },
  ]);
  expect(differences(sent, sent)).toEqual([]);
  expect(differences([1], { a: 1 })).toEqual([{ op: "replace", path: "/", value: { a: 1 } }]);
});
