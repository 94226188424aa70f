import { execFile, spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { stripVTControlCharacters } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type GatewayProcess, startProcess, temporaryFolder } from "./testing.ts";

/* Commands as a person sees them: recorded from a narrow terminal by `script`, and once more from a pipe. */

const entry = fileURLToPath(new URL("../main.ts", import.meta.url));
const folder = temporaryFolder();
const password = "correct horse battery staple";
const escape = "\u001b";
const title = `${escape}[1mCHECK`;
const green = `${escape}[32m`;
const columns = 40;
let gateway: GatewayProcess;
let url: string;

beforeAll(async () => {
  mkdirSync(join(folder.path, "data"));
  gateway = await startProcess({
    DATA_DIR: join(folder.path, "data"),
    VMX_ADMIN_PASSWORD: password,
  });
  url = gateway.ready.baseUrl.replace(/\/v1$/, "");
});

afterAll(async () => {
  await gateway?.end();
  folder.remove();
});

function environment(more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  return {
    PATH: process.env["PATH"],
    HOME: folder.path,
    XDG_CONFIG_HOME: join(folder.path, "config"),
    TERM: "xterm-256color",
    ...more,
  };
}

/** Runs a command in a terminal; each answer is typed when its prompt has been shown. */
function record(
  args: readonly string[],
  { answers = [], more = {} }: {
    answers?: readonly (readonly [prompt: string, typed: string])[];
    more?: NodeJS.ProcessEnv;
  } = {},
): Promise<{ readonly code: number | null; readonly screen: string }> {
  const quoted = [process.execPath, entry, ...args].map((each) => `'${each}'`).join(" ");
  const child = spawn(
    "script",
    [
      "--quiet",
      "--return",
      "--flush",
      "--command",
      `stty cols ${columns}; exec ${quoted}`,
      "/dev/null",
    ],
    { env: environment(more), stdio: ["pipe", "pipe", "inherit"] },
  );
  let screen = "";
  const open = [...answers];
  child.stdout.on("data", (chunk: Buffer) => {
    screen += chunk.toString("utf8");
    const [next] = open;
    if (next === undefined || !screen.includes(next[0])) return;
    open.shift();
    child.stdin.write(`${next[1]}\r`);
  });
  return new Promise((resolve) => child.once("close", (code) => resolve({ code, screen })));
}

/** The same command between pipes. */
function pipe(args: readonly string[]): Promise<{ readonly out: string; readonly talk: string }> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [entry, ...args],
      { env: environment() },
      (_, out, talk) => resolve({ out, talk }),
    );
    child.stdin!.end();
  });
}

test("a person is asked for name and password, and the password is not shown", async () => {
  const { code, screen } = await record(["login", url], {
    answers: [["Username: ", "admin"], ["Password: ", password]],
  });
  expect(screen).toContain("admin");
  expect(screen).not.toContain(password);
  expect(code).toBe(0);
  expect(existsSync(join(folder.path, "config/vmx/contexts.json"))).toBe(true);
});

test("a table has a bold title, states in colour and lines no longer than the terminal", async () => {
  const own = { DATA_DIR: join(folder.path, "other"), PORT: "0" };
  const { code, screen } = await record(["doctor"], { more: own });
  expect(code).toBe(0);
  expect(screen).toContain(title);
  expect(screen).toContain(`${green}ok`);
  const lines = stripVTControlCharacters(screen).split(/[\r\n]+/);
  expect(Math.max(...lines.map(({ length }) => length))).toBe(columns);
  expect(lines.join("\n")).toContain("…");
});

test("colours stay away where NO_COLOR asks for it", async () => {
  const { screen } = await record(["get", "connections"], { more: { NO_COLOR: "1" } });
  expect(screen).toContain("PROVIDER");
  expect(screen).not.toContain(escape);
});

test("work that takes long is counted on one line, which is gone when the work is done", async () => {
  const slow = ["connection", "test", "echo", "--model", "echo-slow-2500ms"];
  const { code, screen } = await record(slow);
  expect(code).toBe(0);
  const [, ...shown] = screen.split("\r\u001b[K");
  expect(shown[0]).toMatch(/^Testing echo… \d+ s$/);
  expect(shown.at(-1)).toContain("MODELS FOUND");
  expect(shown.at(-1)).not.toContain("Testing");
  const { out, talk } = await pipe(slow);
  expect(talk).toBe("Testing echo…\n");
  expect(out).toContain("OK");
  expect(out).not.toContain(escape);
});

test("nothing is deleted before the person has agreed", async () => {
  await pipe(["create", "connection", "spare", "--provider", "echo"]);
  const remove = ["delete", "connection", "spare"];
  const kept = await record(remove, { answers: [["[y/N] ", "n"]] });
  expect(kept.code).not.toBe(0);
  expect((await pipe(["get", "connections", "-o", "name"])).out).toContain("spare\n");
  expect((await record(remove, { answers: [["[y/N] ", "y"]] })).code).toBe(0);
  expect((await pipe(["get", "connections", "-o", "name"])).out).not.toContain("spare\n");
});

test("a pipe gets data alone: no colour, no question, nothing that moves", async () => {
  for (const args of [["get", "connections"], ["get", "connections", "-o", "json"], ["doctor"]]) {
    const { out, talk } = await pipe(args);
    expect(out.length).toBeGreaterThan(0);
    expect(`${out}${talk}`).not.toContain(escape);
  }
  expect((await pipe(["delete", "connection", "echo"])).talk).toContain("add --yes");
});

test("usage is reported by what and when, as a table, as the API answers, and as CSV", async () => {
  const asked = await fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${gateway.ready.apiKey}`, "x-vmx-metadata-team": "blue" },
    body: JSON.stringify({ model: "demo", messages: [{ role: "user", content: "hello" }] }),
  });
  expect(asked.status).toBe(200);
  const report = ["usage", "report", "--by", "resource", "--where", "resource=demo"];
  await expect.poll(async () => (await pipe([...report, "-o", "name"])).out, { timeout: 60_000 })
    .toBe("demo\n");
  const table = (await pipe(report)).out.split("\n");
  expect(table[0]).toMatch(/^RESOURCE +REQUEST COUNT +ERROR COUNT +PROMPT TOKENS .*TOTAL COST$/);
  expect(table[1]).toMatch(/^demo +1 +0 +\d+ +\d+ +0\.000000$/);

  const daily = ["--granularity", "day", "--metric", "requestDuration", "--order-by", "time:asc"];
  const byDay = [...report, ...daily, "--by", "metadata.team", "--since", "2h"];
  const { data, truncated } = JSON.parse((await pipe([...byDay, "-o", "json"])).out);
  expect(truncated).toBe(false);
  expect(data.at(-1)).toMatchObject({
    time: expect.stringMatching(/^\d{4}-\d\d-\d\d$/),
    resourceId: { displayName: "demo" },
    "metadata.team": "blue",
    requestDuration: expect.any(Number),
  });
  expect((await pipe(byDay)).out).toContain("REQUEST DURATION MS");

  const csv = (await pipe([...report, "--csv"])).out;
  expect(csv.split("\r\n")[0]).toContain("totalCost sum (nano-units)");
  const file = join(folder.path, "usage.csv");
  const written = await pipe([...report, "--csv", "-f", file]);
  expect(written).toEqual({ out: "", talk: `${csv.length} bytes written to ${file}\n` });
  expect(readFileSync(file, "utf8")).toBe(csv);
});

test.each([
  [["--by", "modle"], "did you mean model?"],
  [["--metric", "totalCosts"], "did you mean totalCost?"],
  [["--metric", "totalCost:most"], "--metric ends in one of sum, avg"],
  [["--granularity", "fortnight"], "--granularity must be one of"],
  [["--from", "yesterday"], "--from takes a time such as"],
  [["--where", "resource"], "--where takes DIMENSION=VALUE"],
  [["--where", "resource=dmo"], "did you mean demo?"],
  [["--csv", "-f", "/nowhere/usage.csv"], "Cannot write /nowhere/usage.csv: ENOENT"],
])("vmx usage report %j says %s", async (args, says) => {
  const { out, talk } = await pipe(["usage", "report", ...args]);
  expect(talk).toContain(says);
  expect(out).toBe("");
});
