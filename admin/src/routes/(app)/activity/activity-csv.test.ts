import type { Activity } from "@vmx/sdk";
import { expect, test } from "vitest";
import { activityCsv } from "./activity-csv.ts";

const entry = (changes: Partial<Activity> = {}): Activity => ({
  revision: 7,
  at: "2026-11-21T10:00:00.000Z",
  actor: { userId: "u1", via: "console" },
  action: "ai-resource:update",
  entity: { type: "ai-resource", id: "r1", name: "chat" },
  workspaceId: null,
  environmentId: null,
  diff: [],
  requestId: null,
  sourceIp: "127.0.0.1",
  ...changes,
});

test("a change is a line that names who, what, where from and the difference", () => {
  const [head, line, end] = activityCsv(
    [entry({ diff: [{ op: "replace", path: "/name", value: 'a "b"' }] })],
    () => "Ann",
  ).split("\r\n");
  expect(head).toMatch(/^time \(UTC\),action,entity type,entity,/);
  expect(line).toBe(
    "2026-11-21T10:00:00.000Z,ai-resource:update,ai-resource,chat,r1,Ann,console,127.0.0.1,,7," +
      '"[{""op"":""replace"",""path"":""/name"",""value"":""a \\""b\\""""}]"',
  );
  expect(end).toBe("");
});

test("what begins like a formula is text, and who is unknown keeps the id", () => {
  const line = activityCsv(
    [entry({ entity: { type: "ai-resource", id: "r1", name: "=1+1" } })],
    () => undefined,
  );
  expect(line).toContain(",'=1+1,r1,u1,");
});
