import { expect, test } from "vitest";
import { GatewayError } from "../contract/index.ts";
import { readEnvelope } from "./envelope.ts";

test("an absent envelope has the longest deadline and no metadata", () => {
  expect(readEnvelope(undefined, {})).toEqual({ metadata: {}, timeoutMs: 600_000 });
});

test("metadata is the union of headers and body, and the body wins", () => {
  const envelope = readEnvelope(
    { correlationId: "body", metadata: { team: "red" } },
    { "x-vmx-correlation-id": "header", "x-vmx-metadata-team": "blue", "x-vmx-metadata-run": "7" },
  );
  expect(envelope.correlationId).toBe("body");
  expect(envelope.metadata).toEqual({ team: "red", run: "7" });
});

test("a deadline above ten minutes is clamped", () => {
  expect(readEnvelope({ timeoutMs: 10_000_000 }, {}).timeoutMs).toBe(600_000);
});

test.each([
  [{ timeoutMs: 0 }, "vmx.timeoutMs"],
  [{ timeoutMs: 1.5 }, "vmx.timeoutMs"],
  [{ timeoutMs: "10" }, "vmx.timeoutMs"],
  [{ unknown: 1 }, "vmx.unknown"],
  [{ correlationId: "" }, "vmx.correlationId"],
  [{ metadata: { "a b": "x" } }, "vmx.metadata"],
  [{ metadata: { a: 1 } }, "vmx.metadata.a"],
  [{ secondaryModelIndex: -1 }, "vmx.secondaryModelIndex"],
  [{ providerArgs: [] }, "vmx.providerArgs"],
  [{ providerArgs: { model: "x" } }, "vmx.providerArgs.model"],
  [{ providerArgs: { stream: true } }, "vmx.providerArgs.stream"],
  ["text", "vmx"],
  [null, "vmx"],
])("the envelope %j is refused naming %s", (member, param) => {
  const refused = () => readEnvelope(member, {});
  expect(refused).toThrow(GatewayError);
  try {
    refused();
  } catch (error) {
    expect((error as GatewayError).code).toBe("invalid_request");
    expect((error as GatewayError).param).toContain(param);
  }
});

test("a header's correlation id obeys the same rule as the body's", () => {
  expect(() => readEnvelope(undefined, { "x-vmx-correlation-id": "x".repeat(129) })).toThrow(
    "vmx.correlationId",
  );
});
