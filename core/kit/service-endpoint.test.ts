import { expect, test } from "vitest";
import { Secret } from "./secret.ts";
import { createServiceEndpoint } from "./service-endpoint.ts";

test("a path is joined to the base URL with one slash, and the query follows", () => {
  for (
    const baseUrl of ["https://x.example/v1", "https://x.example/v1/", "https://x.example/v1//"]
  ) {
    const { url } = createServiceEndpoint({ baseUrl });
    expect(url("/models")).toBe("https://x.example/v1/models");
    expect(url("/models", "a=b")).toBe("https://x.example/v1/models?a=b");
  }
});

test("the base URL's own query stays and cannot be changed by the caller", () => {
  const { url } = createServiceEndpoint({ baseUrl: "https://x.example/d?api-version=1" });
  expect(url("/chat")).toBe("https://x.example/d/chat?api-version=1");
  expect(url("/chat", "a=b")).toBe("https://x.example/d/chat?api-version=1&a=b");
  expect(url("/chat", "api-version=2&a=b")).toBe("https://x.example/d/chat?api-version=1&a=b");
});

test("the connection's headers and credential win over the caller's", () => {
  const { headers } = createServiceEndpoint({
    baseUrl: "https://x.example",
    bearer: new Secret("sk-own"),
    headers: { "X-Custom": new Secret("own") },
  });
  expect(headers({ authorization: "Bearer evil", "x-custom": "evil", traceparent: "00-1" }))
    .toEqual({
      accept: "application/json",
      authorization: "Bearer sk-own",
      "content-type": "application/json",
      traceparent: "00-1",
      "user-agent": "vmx-gateway",
      "x-custom": "own",
    });
});

test("without a credential the caller's is not forwarded either", () => {
  const { headers } = createServiceEndpoint({ baseUrl: "https://x.example" });
  expect(headers({ authorization: "Bearer evil" })["authorization"]).toBeUndefined();
});

test("headers that would change destination, framing or credential are left out", () => {
  const { headers } = createServiceEndpoint({
    baseUrl: "https://x.example",
    headers: {
      Host: "evil.example",
      Authorization: "Bearer evil",
      "Content-Length": "0",
      "Transfer-Encoding": "chunked",
    },
  });
  expect(Object.keys(headers({})).sort()).toEqual(["accept", "content-type", "user-agent"]);
});
