import { execFile } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type GatewayProcess, startProcess, temporaryFolder } from "../core/command/testing.ts";
import type { Coverage } from "./every-operation.ts";

const run = promisify(execFile);
const root = fileURLToPath(new URL("..", import.meta.url));
const script = fileURLToPath(new URL("every-operation.ts", import.meta.url));
const token = "the-token-of-the-client-test-0123456789";
const folder = temporaryFolder();
let gateway: GatewayProcess;

beforeAll(async () => {
  gateway = await startProcess({ DATA_DIR: folder.path, VMX_ADMIN_TOKEN: token });
});

afterAll(async () => {
  await gateway?.end();
  folder.remove();
});

test.concurrent.each([
  ["Node", process.execPath, [script]],
  ["Deno", `${root}node_modules/.bin/deno`, ["run", "--quiet", "-A", script]],
])("every operation of the OpenAPI document can be called from %s", async (_, command, args) => {
  const { stdout } = await run(command, args, {
    env: { ...process.env, VMX_BASE_URL: gateway.ready.baseUrl, VMX_TOKEN: token },
  });
  const { failed, missing, called } = JSON.parse(stdout) as Coverage;
  expect(failed, "lines of sdk/every-operation.ts that failed").toEqual([]);
  expect(missing, "operations without a line in sdk/every-operation.ts").toEqual([]);
  expect(called.length).toBeGreaterThan(60);
}, 60_000);
