import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openConsole } from "./console-files.ts";
import { createConsole } from "./console.ts";
import { type HttpServer, listen } from "./server.ts";

const script = "console.log('a script that is long enough to be worth it')";
let folder: string;
let server: HttpServer;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "vmx-console-"));
  mkdirSync(join(folder, "_app/immutable"), { recursive: true });
  writeFileSync(join(folder, "index.html"), "<!doctype html><title>Console</title>");
  writeFileSync(join(folder, "console.json"), '{"segments":["","w"]}');
  writeFileSync(join(folder, "theme.js"), script);
  writeFileSync(join(folder, "_app/immutable/a.1234.js"), script);
  writeFileSync(join(folder, "_app/immutable/a.1234.js.gz"), gzipSync(script));
  server = await serve(openConsole(folder));
});

afterAll(async () => {
  await server.stop(0);
  rmSync(folder, { recursive: true });
});

test("every page of the console gets the one page, with a policy that allows no inline script", async () => {
  for (const path of ["/", "/w/default/default/resources/a%2Fb?tab=routing"]) {
    const answer = await fetch(server.url + path);
    expect(answer.status).toBe(200);
    expect(await answer.text()).toContain("<title>Console</title>");
    expect(answer.headers.get("cache-control")).toBe("no-cache");
    const policy = answer.headers.get("content-security-policy")!;
    expect(policy).toContain("script-src 'self';");
    expect(policy).not.toContain("unsafe-inline");
  }
});

test("files whose names follow their content are kept for ever, others are asked for again", async () => {
  const kept = await fetch(`${server.url}/_app/immutable/a.1234.js`);
  expect(kept.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
  const asked = await fetch(`${server.url}/theme.js`);
  expect(asked.headers.get("cache-control")).toBe("no-cache");
  const etag = asked.headers.get("etag")!;
  const again = await fetch(`${server.url}/theme.js`, {
    // Without the second header fetch adds one that asks for a fresh answer.
    headers: { "if-none-match": etag, "cache-control": "max-age=0" },
  });
  expect(again.status).toBe(304);
});

test("a compressed twin goes out only to clients that take it", async () => {
  const { request } = await import("node:http");
  const read = (headers: Record<string, string>) =>
    new Promise<{ encoding: string | undefined; bytes: Buffer }>((resolve, reject) => {
      request(`${server.url}/_app/immutable/a.1234.js`, { headers }, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () =>
          resolve({
            encoding: response.headers["content-encoding"],
            bytes: Buffer.concat(chunks),
          }));
      }).on("error", reject).end();
    });
  const compressed = await read({ "accept-encoding": "gzip" });
  expect(compressed.encoding).toBe("gzip");
  expect(gunzipSync(compressed.bytes).toString()).toBe(script);
  const plain = await read({});
  expect(plain.encoding).toBeUndefined();
  expect(plain.bytes.toString()).toBe(script);
});

test("what is neither a file nor a page of the console does not exist", async () => {
  const paths = [
    "/_app/immutable/gone.js",
    "/other",
    "/console.json",
    "/_app/immutable/a.1234.js.gz",
    "/..%2f..%2fpackage.json",
  ];
  for (const path of paths) expect((await fetch(server.url + path)).status, path).toBe(404);
  expect((await fetch(`${server.url}/`, { method: "POST" })).status).toBe(404);
});

test("a build that is made anew is served at once", async () => {
  writeFileSync(join(folder, "index.html"), "<!doctype html><title>Newer</title>");
  writeFileSync(join(folder, "_app/immutable/b.5678.js"), script);
  const later = new Date(Date.now() + 60_000);
  utimesSync(join(folder, "console.json"), later, later);
  expect(await (await fetch(server.url)).text()).toContain("Newer");
  expect((await fetch(`${server.url}/_app/immutable/b.5678.js`)).status).toBe(200);
});

test("without a build the front door says how to make one", async () => {
  const bare = await serve(openConsole(join(folder, "nothing")));
  const answer = await fetch(bare.url);
  expect(answer.status).toBe(503);
  expect(await answer.text()).toContain("npm run build:console");
  await bare.stop(0);
});

function serve(files: ReturnType<typeof openConsole>): Promise<HttpServer> {
  const write = () => {};
  return listen("127.0.0.1", 0, {
    dataPlane: () => false,
    middleware: [createConsole(files)],
    readiness: () => ({ status: "ready" }),
    log: { debug: write, info: write, warn: write, error: write },
  });
}
