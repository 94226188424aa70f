import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Secret } from "../kit/secret.ts";
import { startTestGateway, type TestGateway } from "./testing.ts";

/* A provider that repeats the key it is called with where it may say something. */

// Of a form that is known: what a configuration holds is not known to the services of the test.
const key = "vmx_sk_0123456789abcdefghij";
let gateway: TestGateway;
const provider = createServer((request, response) => {
  const text = request.headers.authorization!.slice("Bearer ".length);
  request.resume().on("end", () => {
    response.writeHead(200, {
      "content-type": "text/event-stream",
      "x-request-id": text,
      "x-ratelimit-limit-requests": `1;${text}`,
    });
    const error = { error: { message: `${text} is wrong`, type: text, code: text, param: text } };
    if (request.url === "/late/chat/completions") {
      const choices = [{ index: 0, delta: { content: "well" }, finish_reason: null }];
      response.write(`data: ${JSON.stringify({ id: "1", model: "m", choices })}\n\n`);
      setTimeout(() => response.end(`data: ${JSON.stringify(error)}\n\n`), 100);
    } else response.end(`data: ${JSON.stringify(error)}\n\n`);
  });
});

beforeAll(async () => {
  gateway = await startTestGateway();
  await new Promise<void>((resolve) => provider.listen(0, "127.0.0.1", resolve));
  const { port } = provider.address() as AddressInfo;
  for (const name of ["early", "late"]) {
    gateway.snapshot.setConnection(name, "openai-compatible", {
      config: { apiKey: new Secret(key), baseUrl: `http://127.0.0.1:${port}/${name}` },
    });
  }
});
afterAll(async () => {
  await gateway.stop();
  provider.close();
});

test.each(["early", "late"])("an error %s in a stream tells no credential", async (name) => {
  const response = await fetch(`${gateway.baseURL}/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${gateway.apiKey}` },
    body: JSON.stringify({
      model: `${name}/any`,
      stream: true,
      messages: [{ role: "user", content: "hi" }],
    }),
  });
  const text = await response.text();
  expect(text).toContain("[redacted]");
  expect(text).not.toContain(key);
  expect([...response.headers].join("\n")).not.toContain(key);
  const { errorCode, errorMessage } = gateway.outcomes.at(-1)!;
  expect(`${errorCode} ${errorMessage}`).not.toContain(key);
  if (name === "late") expect(response.headers.get("x-request-id")).toBe("[redacted]");
});
