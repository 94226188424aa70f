import { expect, test } from "vitest";
import type { JsonObject } from "../contract/index.ts";
import { checkShape, type ObjectShape } from "./request-shape.ts";

const shape: ObjectShape = {
  members: {
    limit: "number",
    flag: "boolean",
    role: { words: ["user", "tool"] },
    content: {
      either: ["string", {
        each: {
          members: {},
          needs: ["type"],
          byType: { text: { members: { text: "string" }, needs: ["text"] } },
        },
      }],
    },
  },
};

test.each<[JsonObject]>([
  [{}],
  [{ limit: null, unknown: {} }],
  [{ limit: 1, flag: false, role: "tool", content: "x" }],
  [{ content: [{ type: "text", text: "" }, { type: "later", text: 5 }] }],
  [{ content: [] }],
])("%j has the shape", (body) => {
  expect(() => checkShape(body, shape)).not.toThrow();
});

test.each<[JsonObject, string, string]>([
  [{ limit: "many" }, "limit", 'must be a number, not "many"'],
  [{ flag: 1 }, "flag", "must be true or false, not a number"],
  [{ role: "wizard" }, "role", 'must be "user", "tool", not "wizard"'],
  [{ content: 5 }, "content", "must be a string or an array, not a number"],
  [{ content: [null] }, "content[0]", "must be an object, not null"],
  [{ content: [{}] }, "content[0].type", "is missing"],
  [{ content: [{ type: "text" }] }, "content[0].text", "is missing"],
  [{ content: [{ type: "text", text: [] }] }, "content[0].text", "must be a string, not an array"],
])("%j is refused for %s", (body, param, reason) => {
  const message = `Cannot read the request: ${param} ${reason}`;
  expect(() => checkShape(body, shape))
    .toThrow(expect.objectContaining({ code: "invalid_request", param, message }));
});
