import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestGateway, type TestGateway } from "../gateway/testing.ts";

/* What callers are told whose base URL is not quite right: the first thing that goes wrong for newcomers. */

let gateway: TestGateway;

beforeAll(async () => {
  gateway = await startTestGateway();
  const { connectionId } = gateway.snapshot.setConnection("echo", "echo");
  gateway.snapshot.setResource("demo", { connectionId, provider: "echo", model: "echo" });
});
afterAll(() => gateway.stop());

async function post(path: string, body: unknown = {}, headers: Record<string, string> = {}) {
  const response = await fetch(gateway.url + path, {
    method: "POST",
    headers: { authorization: `Bearer ${gateway.apiKey}`, ...headers },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: JSON.parse(await response.text()) };
}

test.each([
  ["/v1/chat/completion", "; did you mean /v1/chat/completions?"],
  ["/v1/v1/messages", "; did you mean /v1/messages?"],
  ["/chat/completions", "; did you mean /v1/chat/completions?"],
  ["/messages", "; did you mean /v1/messages?"],
  ["/v1/completion/w/e/chat/complete", ""],
  ["/v1/completion/w/e/embedings", "; did you mean /v1/completion/w/e/embeddings?"],
  ["/v1/images/generations", ""],
])("POST %s is told the path that was meant", async (path, hint) => {
  const { status, body } = await post(path);
  expect(status).toBe(404);
  expect(body.error).toMatchObject({
    code: "ROUTE_NOT_FOUND",
    message: `No such path: POST ${path}${hint}`,
  });
});

test("an unknown path answers in the words of its neighbours, else in those most paths speak", async () => {
  expect((await post("/messages")).body).toMatchObject({ type: "error" });
  expect((await post("/v1/messages/batches")).body).toMatchObject({ type: "error" });
  expect((await post("/v1/audio/speech")).body).not.toHaveProperty("type");
});

test("the page of a name that is a path below the base is not taken over", async () => {
  expect((await fetch(`${gateway.url}/models`)).headers.get("content-type")).not.toContain("json");
});

test("who sends no key, or two, is told how to send one, with nothing taken out of the sentence", async () => {
  const messages = [{ role: "user", content: "hello" }];
  const ask = { model: "demo", messages };
  const none = await post("/v1/chat/completions", ask, { authorization: "" });
  expect(none.body.error.message).toBe(
    "No API key: send one as a bearer token or in the header x-api-key",
  );
  const two = await post("/v1/chat/completions", ask, { "x-api-key": "another" });
  expect(two.body.error.message).toBe(
    "The request carries more than one credential: send one, as a bearer token or in the header x-api-key",
  );
});

test.each([
  ["dmo", '; did you mean "demo"?'],
  ["demo-large", '; did you mean "demo"?'],
  ["something else", ". GET /v1/models lists those there are"],
])("an unknown model %s is answered with the resource that was meant", async (model, hint) => {
  const messages = [{ role: "user", content: "hello" }];
  const { body } = await post("/v1/chat/completions", { model, messages });
  expect(body.error.message).toBe(`No AI resource is named "${model}"${hint}`);
});

test("a misspelt member of the envelope is answered with the one that was meant", async () => {
  const messages = [{ role: "user", content: "hello" }];
  const { body } = await post("/v1/chat/completions", {
    model: "demo",
    messages,
    vmx: { timeoutms: 1 },
  });
  expect(body.error).toMatchObject({
    message: "vmx.timeoutms is not known; did you mean vmx.timeoutMs?",
    param: "vmx.timeoutms",
  });
});
