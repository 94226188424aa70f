import { createServer, type Server } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  fakeAnswers as answers,
  type FakeUpstream,
  startFakeUpstream,
} from "../conformance/fake-upstream.ts";
import type { HttpRequest, HttpResponse } from "../contract/plugin.ts";
import { createEgressGuard } from "./egress.ts";
import { createHttpClient, type GatewayHttpClient } from "./http.ts";

const clock = { now: () => Date.now(), monotonic: () => performance.now() };
const guard = createEgressGuard({ privateRanges: "allow" });

/** Made for these tests; guards nothing. */
const testKey = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgMA41Cy7pALLxedg/
fSwpgHuL88AyHyN0ip9Fkq63c5mhRANCAASc6J8s6iZNuPM294HUjtRiVIB4VAWW
PGG20EhrD/UDf8vnwD5b+w5YfxfXzA1F10NRuLL0/3QUjTZrkU3G7Ugs
-----END PRIVATE KEY-----`;
const testCertificate = `-----BEGIN CERTIFICATE-----
MIIBmzCCAUGgAwIBAgIUGcSzt6t7holNoYSBNY+GiQ1/hSQwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMTA4MjE0NFoYDzIxMjYxMDI4
MDgyMTQ0WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAASc6J8s6iZNuPM294HUjtRiVIB4VAWWPGG20EhrD/UDf8vnwD5b+w5Y
fxfXzA1F10NRuLL0/3QUjTZrkU3G7Ugso28wbTAdBgNVHQ4EFgQUSE3+XEDjh+uy
esYKiTmh+Ga2ByswHwYDVR0jBBgwFoAUSE3+XEDjh+uyesYKiTmh+Ga2ByswDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
zj0EAwIDSAAwRQIgPSC10liVbJWkJJt/luYCvkHo8RW1rwsXQmOxv1a1GBgCIQDM
fbA+r4mR/5489YPd9voBBaknHJ8hxCaEpg4VYbNHHA==
-----END CERTIFICATE-----`;

let upstream: FakeUpstream;
let client: GatewayHttpClient;

beforeEach(async () => {
  upstream = await startFakeUpstream();
  client = createHttpClient({ connectTimeoutMs: 1000, idleTimeoutMs: 2000, guard, clock });
});

afterEach(async () => {
  await client.close();
  await upstream.close();
});

function post(changes: Partial<HttpRequest> = {}): Promise<HttpResponse> {
  return client.send({
    method: "POST",
    url: `${upstream.url}/v1/x?a=b`,
    headers: { "content-type": "application/json" },
    body: '{"a":1}',
    signal: new AbortController().signal,
    ...changes,
  });
}

async function text(response: HttpResponse): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of response.body) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

test("a call carries method, path, query, headers and body and answers flat lower-case headers", async () => {
  upstream.script((response) => {
    response.writeHead(201, { "X-One": "1", "X-Many": ["a", "b"] });
    response.end("done");
  });
  const response = await post();
  expect(response.status).toBe(201);
  expect(response.headers["x-one"]).toBe("1");
  expect(response.headers["x-many"]).toBe("a, b");
  expect(await text(response)).toBe("done");
  const [request] = upstream.requests;
  expect(request?.method).toBe("POST");
  expect(request?.url).toBe("/v1/x?a=b");
  expect(request?.headers["accept-encoding"]).toBe("identity");
  expect(request?.headers["content-length"]).toBe("7");
  expect(request?.body).toBe('{"a":1}');
});

test("a connection is used again after its answer was read", async () => {
  for (let round = 0; round < 20; round++) await text(await post());
  // The library frees a connection one turn after the answer's end.
  expect(upstream.openSockets()).toBeLessThanOrEqual(2);
});

test("pieces that wait are given in one chunk", async () => {
  upstream.script(answers.events(Array.from({ length: 50 }, (_, at) => String(at))));
  const response = await post();
  await new Promise((resolve) => setTimeout(resolve, 100));
  let chunks = 0;
  let size = 0;
  for await (const chunk of response.body) {
    chunks++;
    size += chunk.length;
  }
  expect(chunks).toBe(1);
  expect(size).toBe(50 * 9 + 40);
});

test("a slow reader stops the service from sending, and gets every byte in the end", async () => {
  let sent = 0;
  upstream.script(async (response) => {
    response.writeHead(200);
    for (; sent < 64; sent++) {
      if (!response.write(Buffer.alloc(1024 * 1024, 65))) {
        await new Promise((resolve) => response.once("drain", resolve));
      }
    }
    response.end();
  });
  client = createHttpClient({ connectTimeoutMs: 1000, idleTimeoutMs: 100, guard, clock });
  const response = await post();
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(sent).toBeLessThan(40);
  let size = 0;
  for await (const chunk of response.body) size += chunk.length;
  expect(size).toBe(64 * 1024 * 1024);
});

test.each([60, 250])("silence before the head ends the call after %i ms", async (idleTimeoutMs) => {
  upstream.script(answers.silence());
  const start = performance.now();
  await expect(post({ idleTimeoutMs })).rejects.toMatchObject({
    name: "ProviderFailure",
    kind: "timeout",
    message: `The service sent nothing for ${idleTimeoutMs} ms`,
  });
  const took = performance.now() - start;
  expect(took).toBeGreaterThan(idleTimeoutMs - 2);
  expect(took).toBeLessThan(idleTimeoutMs + 1000);
  await upstream.untilSockets(0, 1000);
});

test("silence in mid-body ends the body with a timeout after what had come", async () => {
  upstream.script(answers.stallAfter("data: one\n\n"));
  const response = await post({ idleTimeoutMs: 80 });
  const seen: string[] = [];
  const reading = (async () => {
    for await (const chunk of response.body) seen.push(Buffer.from(chunk).toString());
  })();
  await expect(reading).rejects.toMatchObject({ kind: "timeout" });
  expect(seen.join("")).toBe("data: one\n\n");
  await upstream.untilSockets(0, 1000);
});

test("a stream that keeps sending outlives the idle time", async () => {
  upstream.script(answers.events(["1", "2", "3", "4", "5", "6"], 40));
  const response = await post({ idleTimeoutMs: 100 });
  expect(await text(response)).toContain("data: 6");
});

test("a connection broken before the head is a reset", async () => {
  upstream.script(answers.resetBefore());
  await expect(post()).rejects.toMatchObject({
    kind: "reset",
    message: "The service closed the connection before it answered",
  });
});

test.each([
  ["a reset", answers.resetAfter("data: one\n\n")],
  ["a body shorter than announced", answers.shortBody('{"a":')],
])("%s in mid-body fails the body and not the head", async (_name, answer) => {
  upstream.script(answer);
  const response = await post();
  expect(response.status).toBe(200);
  await expect(text(response)).rejects.toMatchObject({ name: "ProviderFailure", kind: "reset" });
});

test("a refused port is a failure to connect, without host or port in its message", async () => {
  const { url } = upstream;
  await upstream.close();
  await expect(post({ url: `${url}/v1` })).rejects.toMatchObject({
    kind: "connect",
    message: "Cannot reach the service: the connection was refused",
  });
  upstream = await startFakeUpstream();
});

test("an unknown name is a failure to connect", async () => {
  await client.close();
  const unknown = createEgressGuard({
    privateRanges: "allow",
    resolve: (_host, done) => done(Object.assign(new Error("no"), { code: "ENOTFOUND" }), []),
  });
  client = createHttpClient({ connectTimeoutMs: 1000, idleTimeoutMs: 1000, guard: unknown, clock });
  await expect(post({ url: "http://gone.example.com/" })).rejects.toMatchObject({
    kind: "connect",
    message: "Cannot reach the service: its name is unknown",
  });
});

test("a name that takes too long to resolve is a timeout", async () => {
  await client.close();
  const slow = createEgressGuard({ privateRanges: "allow", resolve: () => {} });
  client = createHttpClient({ connectTimeoutMs: 1000, idleTimeoutMs: 1000, guard: slow, clock });
  const start = performance.now();
  await expect(post({ url: "http://slow.example.com/", connectTimeoutMs: 60 })).rejects
    .toMatchObject({
      kind: "timeout",
      message: "Cannot reach the service: no connection within 60 ms",
    });
  expect(performance.now() - start).toBeLessThan(1000);
});

test("a TLS handshake that never ends is a timeout", async () => {
  const mute: Server = createServer(() => {});
  await new Promise<void>((resolve) => mute.listen(0, "127.0.0.1", resolve));
  const { port } = mute.address() as { port: number };
  await expect(post({ url: `https://127.0.0.1:${port}/`, connectTimeoutMs: 80 })).rejects
    .toMatchObject({ kind: "timeout" });
  await client.close();
  mute.close();
});

test.each([
  [
    "a self-signed certificate",
    { key: testKey, cert: testCertificate },
    "its certificate is self-signed",
  ],
  ["a server without a certificate", {}, "TLS failed"],
])("%s is refused", async (_name, options, reason) => {
  const server = createTlsServer(options, () => {});
  server.on("tlsClientError", () => {});
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await expect(post({ url: `https://localhost:${port}/` })).rejects.toMatchObject({
    kind: "connect",
    message: `Cannot reach the service: ${reason}`,
  });
  server.close();
});

test("an abort before the head closes the service's socket at once and rejects with the reason", async () => {
  upstream.script(answers.silence());
  const controller = new AbortController();
  const calling = post({ signal: controller.signal });
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(upstream.openSockets()).toBe(1);
  const reason = new Error("client left");
  controller.abort(reason);
  await expect(calling).rejects.toBe(reason);
  await upstream.untilSockets(0, 1000);
});

test("an abort in mid-body closes the service's socket within 100 ms", async () => {
  upstream.script(answers.stallAfter("data: one\n\n"));
  const controller = new AbortController();
  const response = await post({ signal: controller.signal });
  const iterator = response.body[Symbol.asyncIterator]();
  await iterator.next();
  const waiting = iterator.next();
  const reason = new Error("client left");
  controller.abort(reason);
  await expect(waiting).rejects.toBe(reason);
  await upstream.untilSockets(0, 1000);
});

test("a body left in the middle closes the service's socket", async () => {
  upstream.script(answers.stallAfter("data: one\n\n"));
  const response = await post();
  for await (const _chunk of response.body) break;
  await upstream.untilSockets(0, 1000);
});

test("a signal that is aborted already calls nothing", async () => {
  const reason = new Error("gone");
  await expect(post({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  expect(upstream.requests).toHaveLength(0);
});

test("600 abandoned streams do not block a pool of 256 connections", async () => {
  await client.close();
  client = createHttpClient({
    connectTimeoutMs: 5000,
    idleTimeoutMs: 5000,
    guard,
    clock,
    connections: 256,
  });
  upstream.script(answers.stallAfter("data: one\n\n"));
  const controllers = Array.from({ length: 600 }, () => new AbortController());
  const calls = controllers.map((controller) => post({ signal: controller.signal }));
  for (const call of calls) call.catch(() => {});
  await Promise.all(calls.slice(0, 256));
  for (const controller of controllers) controller.abort(new Error("client left"));
  await Promise.allSettled(calls);
  upstream.script(answers.json(200, { fine: true }));
  const responses = await Promise.all(Array.from({ length: 50 }, () => post().then(text)));
  expect(responses.every((body) => body === '{"fine":true}')).toBe(true);
});

test.each([
  ["headers beyond 64 KiB", answers.hugeHeaders(200 * 1024), "its headers are too large"],
  ["bytes that are not HTTP", answers.garbage(), "it is not HTTP"],
  [
    "stacked encodings",
    answers.encoded(Array.from({ length: 1000 }, () => "gzip").join(", "), Buffer.from("x")),
    "it has the content encoding",
  ],
])("%s are refused as an invalid answer", async (_name, answer, reason) => {
  upstream.script(answer);
  await expect(post()).rejects.toMatchObject({
    code: "upstream_invalid_response",
    message: expect.stringContaining(reason),
  });
  await upstream.untilSockets(0, 1000);
});

test("one content encoding is inflated although none was asked for", async () => {
  upstream.script(answers.encoded("gzip", gzipSync('{"a":1}')));
  const response = await post();
  expect(response.headers["content-encoding"]).toBeUndefined();
  expect(await text(response)).toBe('{"a":1}');
});

test.each([
  ["a body that inflates beyond 64 MiB", gzipSync(Buffer.alloc(65 * 1024 * 1024)), "inflates"],
  ["a damaged body", Buffer.from("not gzip at all"), "damaged"],
  ["a cut body", gzipSync(Buffer.alloc(100_000, "ab")).subarray(0, 60), "damaged"],
])("%s fails as an invalid answer", async (_name, body, reason) => {
  upstream.script(answers.encoded("gzip", body));
  const response = await post();
  await expect(text(response)).rejects.toMatchObject({
    code: "upstream_invalid_response",
    message: expect.stringContaining(reason),
  });
});

test("a header value that cannot be sent is refused without showing it", async () => {
  const failure = await post({ headers: { authorization: "Bearer a\r\nx: sk-secret" } }).catch((
    error: Error,
  ) => error);
  expect(failure).toMatchObject({ kind: "refused" });
  expect(String((failure as Error).message)).not.toContain("secret");
});

test("the guard refuses literal addresses and names, for send and for fetch", async () => {
  await client.close();
  const deny = createEgressGuard({
    privateRanges: "deny",
    resolve: (_host, done) => done(null, [{ address: "127.0.0.1", family: 4 }]),
  });
  client = createHttpClient({ connectTimeoutMs: 1000, idleTimeoutMs: 1000, guard: deny, clock });
  const { port } = new URL(upstream.url);
  for (const host of ["127.0.0.1", "2130706433", "[::ffff:7f00:1]", "rebound.example.com"]) {
    const url = `https://${host}:${port}/`;
    await expect(post({ url })).rejects.toMatchObject({ code: "egress_refused" });
    await expect(client.fetch(url)).rejects.toSatisfy((error: Error) =>
      [error, error.cause].some((each) => (each as { code?: string }).code === "egress_refused")
    );
  }
  expect(upstream.openSockets()).toBe(0);
});

test("fetch answers a redirect instead of following it", async () => {
  upstream.script((response) => {
    response.writeHead(302, { location: "http://169.254.169.254/latest/meta-data" });
    response.end();
  });
  const response = await client.fetch(`${upstream.url}/a`, { method: "POST", body: "{}" });
  expect(response.status).toBe(302);
  expect(upstream.requests).toHaveLength(1);
});

test("fetch takes a Request and gives the answer's JSON", async () => {
  upstream.script(answers.json(200, { a: 1 }));
  const request = new Request(`${upstream.url}/a`, { method: "POST", body: "hello" });
  const response = await client.fetch(request);
  expect(await response.json()).toEqual({ a: 1 });
  expect(upstream.requests[0]?.body).toBe("hello");
});

test("close breaks off running calls and refuses new ones", async () => {
  upstream.script(answers.silence());
  const calling = post();
  await new Promise((resolve) => setTimeout(resolve, 30));
  const rejected = expect(calling).rejects.toMatchObject({ kind: "reset" });
  await client.close();
  await rejected;
  await expect(post()).rejects.toMatchObject({ code: "shutting_down" });
});
