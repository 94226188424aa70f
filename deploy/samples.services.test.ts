import { execFile } from "node:child_process";
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type GatewayProcess, startProcess, temporaryFolder } from "../core/command/testing.ts";

/* Samples of the documents, run as they are printed; only the port is another one. */

interface Sample {
  readonly document: string;
  readonly language: string;
  readonly text: string;
}

const run = promisify(execFile);
const root = fileURLToPath(new URL("..", import.meta.url));
const documents = ["README.md", ...readdirSync(join(root, "docs")).map((name) => `docs/${name}`)];
const samples = documents.flatMap((document): Sample[] => {
  const text = readFileSync(join(root, document), "utf8");
  return [...text.matchAll(/```(js|json|sh)\n([^]*?)\n```/g)].map((
    [, language = "", text = ""],
  ) => ({
    document,
    language,
    text,
  }));
});
/** An ellipsis stands where readers put something of their own. */
const complete = samples.filter(({ text }) => !text.includes("…"));

const folder = temporaryFolder();
const place = mkdtempSync(join(tmpdir(), "vmx-samples-"));
const token = "the-token-of-the-samples-0123456789";
let gateway: GatewayProcess;
let environment: NodeJS.ProcessEnv;

beforeAll(async () => {
  gateway = await startProcess({ DATA_DIR: folder.path, VMX_ADMIN_TOKEN: token });
  const origin = gateway.ready.baseUrl.replace(/\/v1$/, "");
  const api = async (path: string, body?: unknown) => {
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    const init = body === undefined ? {} : { method: "POST", body: JSON.stringify(body) };
    const response = await fetch(`${origin}/api/v1${path}`, { headers, ...init });
    expect(response.ok, path).toBe(true);
    return await response.json();
  };
  const { data: [workspace] } = await api("/workspaces?includesEnvironments=true");
  const { workspaceId, environments: [{ environmentId }] } = workspace;
  const below = `/workspaces/${workspaceId}/environments/${environmentId}`;
  // What the samples take for granted.
  const connections = ["openai-prod", "anthropic-prod", "openai"];
  for (const name of connections) {
    await api(`${below}/ai-connections`, { name, provider: "echo" });
  }
  const model = { connectionName: "echo", model: "echo" };
  const [chat, docs] = [
    await api(`${below}/ai-resources`, { name: "chat", model }),
    await api(`${below}/ai-resources`, { name: "docs", model }),
  ];
  const { data: [{ userId }] } = await api("/users");
  environment = {
    ...process.env,
    VMX_BASE_URL: origin,
    VMX_TOKEN: token,
    VMX_ADMIN_TOKEN: token,
    VMX_API_KEY: gateway.ready.apiKey,
    WORKSPACE_ID: workspaceId,
    ENVIRONMENT_ID: environmentId,
    RESOURCE_ID: chat.resourceId,
    CHAT_ID: chat.resourceId,
    DOCS_ID: docs.resourceId,
    USER_ID: userId,
    HOME: place,
    XDG_CONFIG_HOME: join(place, "config"),
  };
  symlinkSync(join(root, "node_modules"), join(place, "node_modules"));
});

afterAll(async () => {
  await gateway?.end();
  folder.remove();
  rmSync(place, { recursive: true, force: true });
});

async function execute(program: string, args: readonly string[]): Promise<string> {
  const options = { cwd: place, env: environment, encoding: "utf8" as const, timeout: 60_000 };
  const { stdout } = await run(program, args, options);
  return stdout;
}

const withPort = (text: string) => text.replaceAll(/http:\/\/127\.0\.0\.1:3000/g, origin());
const origin = () => environment["VMX_BASE_URL"]!;

const curls = complete.filter(({ language, text }) => language === "sh" && /^curl /m.test(text));

test.each(curls)("curl of $document is answered: $text", async ({ text }) => {
  const command = withPort(text).replaceAll(/^curl /gm, "curl --fail-with-body --silent ");
  expect(await execute("sh", ["-ec", command])).toContain("{");
}, 60_000);

const scripts = complete.filter(({ language, text, document }) =>
  language === "js" && document !== "docs/plugins.md" && text.includes("import ")
);

test.each(scripts)("script of $document runs twice: $text", async ({ text }) => {
  const file = join(place, "sample.mjs");
  writeFileSync(file, withPort(text));
  for (let time = 0; time < 2; time++) await execute(process.execPath, [file]);
}, 60_000);

const commands = complete.filter(({ language, text }) =>
  language === "sh" && /^npx vmx /m.test(text) && !/^(curl|npx vmx login|pg_dump)/m.test(text) &&
  !/_API_KEY|audit tail/.test(text)
);

test.each(commands)("commands of $document end well: $text", async ({ text }) => {
  const vmx = `"${process.execPath}" "${join(root, "core/main.ts")}" `;
  const shell = withPort(text).replaceAll(/^npx vmx /gm, vmx);
  await execute("sh", ["-ec", shell]);
}, 120_000);

const routings = complete.filter(({ language, text }) =>
  language === "json" && /^\{\s*"routing"/.test(text)
);

test.each(routings)("rules of $document are accepted: $text", async ({ text }) => {
  const { WORKSPACE_ID, ENVIRONMENT_ID, CHAT_ID } = environment;
  const place = `workspaces/${WORKSPACE_ID}/environments/${ENVIRONMENT_ID}/ai-resources/${CHAT_ID}`;
  const response = await fetch(`${origin()}/api/v1/${place}`, {
    method: "PATCH",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: text,
  });
  expect(await response.json()).toHaveProperty("routing.conditions");
  expect(response.status).toBe(200);
});

test("the samples that run are not few", () => {
  expect(curls.length).toBeGreaterThan(6);
  expect(scripts.length).toBeGreaterThan(2);
  expect(commands.length).toBeGreaterThan(2);
  expect(routings.length).toBeGreaterThan(2);
});
