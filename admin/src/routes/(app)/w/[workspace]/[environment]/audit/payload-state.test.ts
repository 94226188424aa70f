import { expect, test } from "vitest";
import { payloadView } from "./payload-state.ts";

const view = (state: string | undefined, mayRead = true, value?: unknown) =>
  payloadView(
    { payloadState: state === undefined ? null : { requestBody: state }, requestBody: value },
    "requestBody",
    mayRead,
  );

test("a missing payload says its real reason", () => {
  expect(view("off by policy").missing?.title).toBe("Not stored, by policy");
  expect(view("expired").missing?.title).toBe("No longer kept");
  expect(view("not captured: no leg was called").missing).toEqual({
    title: "Never captured",
    text: "No leg was called.",
  });
  expect(view("stored", false).missing?.text).toContain("audit:read-payload");
  expect(view(undefined).missing?.title).toBe("Nothing was kept");
});

test("a payload that was cut says how much of it is left", () => {
  expect(view("truncated (64/8300 bytes)", true, "x")).toEqual({
    value: "x",
    note: "Cut off: 64 of 8300 bytes were kept.",
  });
  expect(view("stored", true, { a: 1 })).toEqual({ value: { a: 1 } });
});
