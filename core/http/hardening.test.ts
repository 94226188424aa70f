import { connect } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestManagement, type TestManagement } from "../management/testing.ts";
import { silentLog } from "../store/testing.ts";
import { createOwnOrigin } from "./own-origin.ts";
import { listen } from "./server.ts";
import { createIsTrusted } from "./source-address.ts";

let plane: TestManagement;

beforeAll(async () => {
  plane = await startTestManagement();
});
afterAll(() => plane.stop());

/** Sends bytes as they are and reads the answer as text. */
function raw(url: string, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname, () => socket.write(text, "latin1"));
    let answer = "";
    socket.setTimeout(3_000, () => socket.destroy());
    socket.on("data", (chunk) => answer += chunk.toString("latin1"));
    socket.on("close", () => resolve(answer));
    socket.on("error", reject);
  });
}

const request = (head: readonly string[], line = "GET /api/v1/auth/options HTTP/1.1") =>
  `${line}\r\n${["Host: gateway", "Connection: close", ...head].join("\r\n")}\r\n\r\n`;

test("answers forbid browsers to run, load, frame or guess", async () => {
  for (const path of ["/api/v1/auth/options", "/api/docs", "/api/v1/nothing", "/healthz"]) {
    const { headers } = await plane.send("GET", path);
    expect(headers.get("content-security-policy"), path).toMatch(/^default-src 'none'/);
    expect(headers.get("content-security-policy"), path).toContain("frame-ancestors 'none'");
    expect(headers.get("content-security-policy"), path).not.toContain("unsafe-inline");
    expect(headers.get("x-content-type-options"), path).toBe("nosniff");
    expect(headers.get("referrer-policy"), path).toBe("same-origin");
    expect(headers.get("cross-origin-opener-policy"), path).toBe("same-origin");
    expect(headers.get("permissions-policy"), path).toContain("camera=()");
    expect(headers.get("strict-transport-security"), path).toBeNull();
    expect(headers.get("access-control-allow-origin"), path).toBeNull();
    expect(headers.get("x-powered-by"), path).toBeNull();
  }
});

const answering = (options: { publicUrl?: string; corsOrigins?: string[] }) =>
  listen("127.0.0.1", 0, {
    dataPlane(request, response) {
      if (request.url !== "/v1/models") return false;
      response.writeHead(200, { "content-type": "application/json" }).end("{}");
      return true;
    },
    middleware: [(context) => {
      context.body = "ok";
    }],
    readiness: () => ({ status: "ready" }),
    log: silentLog,
    ...options,
  });

test("browsers are told to stay with https when the public URL is https", async () => {
  const server = await answering({ publicUrl: "https://vmx.example" });
  const { headers } = await fetch(`${server.url}/x`);
  expect(headers.get("strict-transport-security")).toMatch(/^max-age=31536000/);
  await server.stop(0);
});

test("only listed origins may call from a page, whole origins and never with cookies", async () => {
  const server = await answering({ corsOrigins: ["https://app.example"] });
  const ask = (path: string, origin: string, method = "GET") =>
    fetch(server.url + path, {
      method,
      headers: {
        origin,
        ...(method === "OPTIONS"
          ? {
            "access-control-request-method": "PATCH",
            "access-control-request-headers": "authorization, if-match",
          }
          : {}),
      },
    });
  for (const path of ["/v1/models", "/api/x"]) {
    const preflight = await ask(path, "https://app.example", "OPTIONS");
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get("access-control-allow-methods")).toContain("PATCH");
    expect(preflight.headers.get("access-control-allow-headers")).toBe("authorization, if-match");
    const answer = await ask(path, "https://app.example");
    expect(answer.headers.get("access-control-allow-origin")).toBe("https://app.example");
    expect(answer.headers.get("access-control-allow-credentials")).toBeNull();
    expect(answer.headers.get("vary")).toContain("Origin");
    for (
      const origin of [
        "https://evil.example",
        "https://app.example.evil.example",
        "https://app.example:8443",
        "http://app.example",
        "https://APP.example",
        "null",
        "*",
      ]
    ) {
      const refused = await ask(path, origin);
      expect(refused.headers.get("access-control-allow-origin"), origin).toBeNull();
      expect(refused.headers.get("vary")).toContain("Origin");
      const asked = await ask(path, origin, "OPTIONS");
      expect(asked.headers.get("access-control-allow-methods"), origin).toBeNull();
    }
  }
  await server.stop(0);
});

test("a header that decides something may not come twice", async () => {
  const twice = [
    "Host: other",
    "Content-Type: application/json\r\nContent-Type: text/plain",
    "Origin: https://a\r\nOrigin: https://b",
    "X-Vmx-Csrf: a\r\nx-vmx-csrf: b",
    "Idempotency-Key: a\r\nIdempotency-Key: b",
  ];
  for (const head of twice) {
    const answer = await raw(plane.url, request([head]));
    expect(answer, head).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer, head).toContain("VALIDATION_FAILED");
    expect(answer.toLowerCase(), head).toContain("connection: close");
  }
  for (
    const head of [
      "Authorization: Bearer a\r\nAuthorization: Bearer b",
      "X-Api-Key: a\r\nX-Api-Key: b",
    ]
  ) {
    const answer = await raw(plane.url, request([head], "GET /api/v1/me HTTP/1.1"));
    expect(answer, head).toMatch(/^HTTP\/1\.1 401 /);
  }
});

test("heads that are too large, too many or malformed never reach an operation", async () => {
  const heads: [string, RegExp][] = [
    [request(Array.from({ length: 120 }, (_, index) => `X-${index}: y`)), /^HTTP\/1\.1 400 /],
    [request([`X-Long: ${"y".repeat(20_000)}`]), /^HTTP\/1\.1 431 /],
    [request(["X-Evil: a\rSet-Cookie: b=c"]), /^HTTP\/1\.1 400 /],
    [request(["X-Evil: a\0b"]), /^HTTP\/1\.1 400 /],
    [request([" folded: y"]), /^HTTP\/1\.1 400 /],
    [request(["Bad Name: y"]), /^HTTP\/1\.1 400 /],
    [request(["Content-Length: 0", "Transfer-Encoding: chunked"]), /^HTTP\/1\.1 400 /],
    [request(["Content-Length: 1", "Content-Length: 2"]), /^HTTP\/1\.1 400 /],
    [request([], "GET /api/v1/auth/options\nX: y HTTP/1.1"), /^HTTP\/1\.1 400 /],
    ["GET /api/v1/auth/options HTTP/1.1\r\nConnection: close\r\n\r\n", /^HTTP\/1\.1 400 /],
    ["GET /api/v1/auth/options\r\n\r\n", /^(HTTP\/1\.1 400 |$)/],
  ];
  for (const [text, expected] of heads) {
    const answer = await raw(plane.url, text);
    expect(answer, JSON.stringify(text.slice(0, 120))).toMatch(expected);
    expect(answer).not.toContain("Set-Cookie");
  }
});

test("a line break in a value comes back in no header and starts no line of the log", async () => {
  const evil = "x%0d%0aset-cookie:%20a=b%0d%0a";
  for (
    const path of [`/api/v1/${evil}`, `/api/v1/workspaces/${evil}`, `/api/v1/roles?name=${evil}`]
  ) {
    const answer = await raw(
      plane.url,
      request(["Authorization: Bearer vmx_pat_nonsense"], `GET ${path} HTTP/1.1`),
    );
    expect(answer.toLowerCase()).not.toContain("\r\nset-cookie:");
  }
  expect(plane.logged.some((line) => line.includes("\n"))).toBe(false);
});

test("forwarding headers tell the origin only when a trusted proxy sent them", () => {
  const origin = createOwnOrigin(undefined, createIsTrusted(["10.0.0.0/8"]));
  const forwarded = {
    host: "inside:3000",
    "x-forwarded-host": "evil.example, vmx.example",
    "x-forwarded-proto": "https",
  };
  expect(origin(forwarded, "10.1.2.3")).toBe("https://vmx.example");
  expect(origin(forwarded, "::ffff:10.1.2.3")).toBe("https://vmx.example");
  expect(origin(forwarded, "192.0.2.1")).toBe("http://inside:3000");
  expect(origin({ host: "evil:x@good" }, undefined)).toBe("http://localhost");
  expect(origin({ host: "good/../evil" }, undefined)).toBe("http://localhost");
  expect(origin({}, undefined)).toBe("http://localhost");
  const fixed = createOwnOrigin("https://public.example/base", createIsTrusted([]));
  expect(fixed(forwarded, "10.1.2.3")).toBe("https://public.example");
});
