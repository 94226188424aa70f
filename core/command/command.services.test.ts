import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type GatewayProcess, startProcess, temporaryFolder } from "./testing.ts";

/* Commands as people call them: processes of their own, against a gateway of its own. */

const entry = fileURLToPath(new URL("../main.ts", import.meta.url));
const folder = temporaryFolder();
const password = "correct horse battery staple";
let gateway: GatewayProcess;
let url: string;

beforeAll(async () => {
  mkdirSync(join(folder.path, "data"));
  gateway = await startProcess({
    DATA_DIR: join(folder.path, "data"),
    VMX_ADMIN_PASSWORD: password,
  });
  url = gateway.ready.baseUrl.replace(/\/v1$/, "");
  const login = await vmx(
    ["login", url, "--username", "admin", "--password-from-env", "PASSWORD"],
    {
      environment: { PASSWORD: password },
    },
  );
  expect(login).toMatchObject({ code: 0, out: "" });
});

afterAll(async () => {
  await gateway?.end();
  folder.remove();
});

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly talk: string;
}

function vmx(
  args: readonly string[],
  { environment = {}, stdin = "" }: { environment?: NodeJS.ProcessEnv; stdin?: string } = {},
): Promise<Ended> {
  return new Promise((resolve) => {
    const env = {
      PATH: process.env["PATH"],
      HOME: folder.path,
      XDG_CONFIG_HOME: join(folder.path, "config"),
      ...environment,
    };
    const child = execFile(process.execPath, [entry, ...args], { env }, (error, out, talk) => {
      resolve({ code: error ? Number(error.code ?? -1) : 0, out, talk });
    });
    child.stdin!.end(stdin);
  });
}

function file(name: string, text: string): string {
  const path = join(folder.path, name);
  writeFileSync(path, text);
  return path;
}

test("a login keeps a token in a file that only the user can read", async () => {
  const contexts = join(folder.path, "config/vmx/contexts.json");
  expect(statSync(contexts).mode & 0o777).toBe(0o600);
  const { current, contexts: all } = JSON.parse(readFileSync(contexts, "utf8"));
  expect(all[current]).toMatchObject({ baseUrl: url, token: expect.stringMatching(/^vmx_pat_/) });
  const list = await vmx(["context", "list"]);
  expect(list.out).toContain(url);
  expect(list.out).not.toContain("vmx_pat_");
});

test(
  "objects are created, read, changed and deleted, data on one stream and talk on the other",
  async () => {
    const created = await vmx(["create", "connection", "main", "--provider", "echo"]);
    expect(created).toEqual({ code: 0, out: "", talk: "ai-connection main created\n" });
    const resource = ["--set", "model.connectionName=main", "--set", "model.model=echo"];
    await vmx(["create", "resource", "chat", ...resource]);

    const names = await vmx(["get", "connections", "-o", "name"]);
    expect(names.out.split("\n").sort()).toEqual(["", "echo", "main"]);
    const json = await vmx(["get", "connection", "main", "-o", "json"]);
    expect(JSON.parse(json.out)).toMatchObject({ name: "main", provider: "echo", enabled: true });
    const table = await vmx(["get", "connections"]);
    expect(table.out.split("\n")[0]).toMatch(/^NAME +PROVIDER +ENABLED/);

    const changed = await vmx(["update", "connection", "MAIN", "--no-enabled", "-o", "yaml"]);
    expect(changed.out).toContain("enabled: false\n");
    const refused = await vmx(["delete", "connection", "main", "--yes"]);
    expect(refused.code).toBe(5);
    expect(refused.talk).toContain("CONNECTION_IN_USE");
    expect(refused.talk).toContain("used by chat: model");
    const gone = await vmx(["delete", "resource", "chat", "-y"]);
    expect(gone).toEqual({ code: 0, out: "", talk: "ai-resource chat deleted\n" });
  },
  60_000,
);

test(
  "with --or-update a script creates the first time and changes the next, a password excepted",
  async () => {
    const create = ["create", "connection", "again", "--provider", "echo", "--or-update"];
    expect(await vmx(create)).toEqual({ code: 0, out: "", talk: "ai-connection again created\n" });
    const changed = await vmx([...create, "--description", "second", "-o", "json"]);
    expect(JSON.parse(changed.out)).toMatchObject({ description: "second", version: 2 });
    const place = ["create", "environment", "staging", "--or-update"];
    expect((await vmx(place)).talk).toBe("environment staging created\n");
    expect((await vmx(place)).talk).toBe("environment staging changed\n");

    const user = ["create", "user", "eve", "--email", "eve@example.com", "--first-name", "Eve"];
    const upsert = [...user, "--last-name", "Li", "--secret-from-stdin", "password", "--or-update"];
    for (const secret of [`${password} of eve`, `${password} again`]) {
      expect(await vmx(upsert, { stdin: secret })).toMatchObject({ code: 0 });
    }
    const taken = ["create", "user", "eva", "--email", "eve@example.com", "--first-name", "Eva"];
    expect(await vmx([...taken, "--last-name", "Li", "--or-update"])).toMatchObject({
      code: 5,
      talk: expect.stringContaining("USER_EMAIL_IN_USE"),
    });
    const token = await vmx(["create", "my-token", "ci", "--or-update"]);
    expect(token).toMatchObject({ code: 2, talk: expect.stringContaining("Cannot update") });
  },
  120_000,
);

test("a file describes an object, and options go before it", async () => {
  const role = file(
    "role.yaml",
    "description: from a file\npolicy:\n  statements:\n" +
      "    - { effect: allow, actions: ['*:get'], resources: ['*'] }\n",
  );
  const created = await vmx(
    ["create", "role", "reader", "-f", role, "--description", "mine", "-o", "json"],
  );
  expect(JSON.parse(created.out)).toMatchObject({ name: "reader", description: "mine" });
  const piped = await vmx(["update", "role", "reader", "-f", "-", "-o", "json"], {
    stdin: '{ "description": null }',
  });
  expect(JSON.parse(piped.out)).toMatchObject({ description: null });
  const question = ["policy", "simulate", "user:delete", "user:someone", "-f", "-"];
  const denied = await vmx(question, { stdin: readFileSync(role, "utf8").split("policy:")[1]! });
  expect(denied).toMatchObject({ code: 1, out: expect.stringContaining("denied") });
}, 60_000);

test(
  "secrets come from variables, files and standard input, and are refused on the command line",
  async () => {
    const secret = "gsk_0123456789abcdefghijklmnop";
    const create = ["create", "connection", "paid", "--provider", "groq"];
    const visible = await vmx([...create, "--set", `config.apiKey=${secret}`]);
    expect(visible.code).toBe(2);
    expect(visible.talk).toContain("--secret-from-env apiKey=VARIABLE");
    expect(visible.talk).not.toContain(secret);
    const viaMember = await vmx([...create, "--config", `{ apiKey: ${secret} }`]);
    expect(viaMember.code).toBe(2);

    const made = await vmx([...create, "--secret-from-env", "apiKey=PAID_KEY", "-o", "json"], {
      environment: { PAID_KEY: secret },
    });
    expect(JSON.parse(made.out).config.apiKey).toBe("********");
    const user = ["create", "user", "ana", "--email", "ana@example.com", "--first-name", "Ana"];
    const typed = await vmx([...user, "--last-name", "Lima", "--set", `password=${password}`]);
    expect(typed.code).toBe(2);
    const piped = await vmx([...user, "--last-name", "Lima", "--secret-from-stdin", "password"], {
      stdin: `${password} of ana\n`,
    });
    expect(piped).toEqual({ code: 0, out: "", talk: "user ana created\n" });
    const dry = await vmx([
      ...create,
      "--dry-run",
      "--secret-from-file",
      `apiKey=${file("k", secret)}`,
    ]);
    expect(dry.out).toContain('apiKey: "********"');
    expect(dry.out).not.toContain(secret);
  },
  60_000,
);

test(
  "the value of a key is all that reaches standard output, once when made and once when rolled",
  async () => {
    const made = await vmx(["key", "create", "app", "--resources", "demo", "--labels", "ci"]);
    expect(made.out).toMatch(/^vmx_sk_\w{49}\n$/);
    const rolled = await vmx(["key", "roll", "app", "--grace", "24h"]);
    expect(rolled.out).toMatch(/^vmx_sk_\w{49}\n$/);
    expect(rolled.out).not.toBe(made.out);
    const { resources, labels } = JSON.parse((await vmx(["get", "key", "app", "-o", "json"])).out);
    expect([resources.length, labels]).toEqual([1, ["ci"]]);
    // A resource with a key of its own is closed to all others.
    await vmx(["delete", "key", "app", "--yes"]);
  },
  60_000,
);

test(
  "a connection is tested, and keeps its credential when the new one fails the test",
  async () => {
    const tested = await vmx(["connection", "test", "echo", "--model", "echo", "-o", "json"]);
    expect(JSON.parse(tested.out)).toMatchObject({ ok: true });
    const closed = ["--set", "config.baseUrl=http://127.0.0.1:9/v1"];
    await vmx(["create", "connection", "own", "--provider", "openai-compatible", ...closed]);
    const rotated = await vmx(["connection", "rotate", "own", "--secret-from-stdin", "apiKey"], {
      stdin: "new-key",
    });
    expect(rotated.code).toBe(1);
    expect(rotated.talk).toContain("nothing is changed");
    const { version } = JSON.parse((await vmx(["get", "connection", "own", "-o", "json"])).out);
    expect(version).toBe(1);
  },
  60_000,
);

test("requests are listed, shown and exported", async () => {
  const test = await vmx(["resource", "route-test", "demo", "--prompt", "hello", "-o", "json"]);
  expect(JSON.parse(test.out).chain[0]).toMatchObject({ connectionName: "echo", model: "echo" });
  await fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${gateway.ready.apiKey}`, "x-vmx-metadata-tier": "gold" },
    body: JSON.stringify({ model: "demo", messages: [{ role: "user", content: "hello" }] }),
  });
  let id = "";
  await expect.poll(async () => {
    id = (await vmx(["get", "audit", "-o", "name"])).out.trim();
    return id;
  }, { timeout: 15_000 }).toMatch(/^[0-9a-f-]{36}$/);
  const shown = await vmx(["audit", "show", id, "-o", "json"]);
  expect(JSON.parse(shown.out)).toMatchObject({ status: "ok", metadata: { tier: "gold" } });
  const out = join(folder.path, "audit.csv");
  const filters = ["--metadata", "tier=gold", "--since", "1h", "--format", "csv"];
  expect(await vmx(["audit", "export", ...filters, "-f", out])).toMatchObject({ code: 0, out: "" });
  expect(readFileSync(out, "utf8")).toContain(id);
}, 60_000);

test.each([
  [["gte"], 2, "did you mean vmx get?"],
  [["create", "member", "ana"], 2, "Help: vmx create member --help"],
  [
    ["policy", "simulate", "user:delet", "user:x", "--user", "admin"],
    6,
    'unknown operation "delet"',
  ],
  [["key", "rol"], 2, "did you mean vmx key roll?"],
  [["get", "conections"], 2, "did you mean connections?"],
  [["get", "keys", "--lable", "ci"], 2, "did you mean --label?"],
  [["get", "keys", "-o", "jsn"], 2, "must be one of table"],
  [["create", "user", "bo", "--state", "SLEEPING"], 2, "must be one of ACTIVE"],
  [["delete", "key", "default"], 2, "add --yes"],
  [["get", "resource", "dmo"], 4, "did you mean demo?"],
  [["create", "workspace", "default"], 5, "WORKSPACE_ALREADY_EXISTS"],
  [["update", "resource", "demo", "--description", "a", "--if-match", "99"], 5, "VERSION_MISMATCH"],
  [["create", "connection", "a/b", "--provider", "echo"], 6, "/name"],
  [["get", "keys", "-w", "nowhere"], 4, 'No workspace is named "nowhere"'],
  [["get", "keys", "--base-url", "http://127.0.0.1:9"], 7, "Cannot reach http://127.0.0.1:9"],
  [["get", "keys", "--context", "defualt"], 2, "did you mean default?"],
])("vmx %j ends with %i and says %s", async (args, code, says) => {
  const ended = await vmx(args);
  expect(ended.talk).toContain(says);
  expect(ended).toMatchObject({ code, out: "" });
}, 60_000);

test("a stored token goes to no other address", async () => {
  const ended = await vmx(["get", "keys", "--base-url", url.replace("127.0.0.1", "localhost")]);
  expect(ended).toMatchObject({ code: 3, out: "" });
  expect(ended.talk).toContain("Try: vmx login");
}, 60_000);

test(
  "a plugin in a folder with nothing installed is tested, and what is wrong is told in full",
  async () => {
    mkdirSync(join(folder.path, "acme"));
    const text = readFileSync(new URL("../../docs/plugins.md", import.meta.url), "utf8");
    for (const [, name, code] of text.matchAll(/<!-- file: (\S+) -->\n```\w+\n([^]*?)\n```/g)) {
      file(`acme/${name}`, code!);
    }
    const acme = join(folder.path, "acme");
    const passed = await vmx(["plugin", "test", acme, "--only", "headers", "-o", "json"]);
    expect(passed.code, passed.talk).toBe(0);
    expect(JSON.parse(passed.out).length).toBeGreaterThan(3);
    file("acme/configuration.schema.json", '{ "type": "array" }');
    const failed = await vmx(["plugin", "test", acme]);
    expect(failed.code).toBe(1);
    expect(failed.talk).toContain(
      'contributes.providers[0].configuration "./configuration.schema.json" does not describe an object',
    );
  },
  60_000,
);

test("a shell completes commands, options and names", async () => {
  expect((await vmx(["complete", "--", "con"])).out).toBe("context\nconnection\n");
  expect((await vmx(["complete", "--", "get", "resource", "de"])).out).toBe("demo\n");
  expect((await vmx(["complete", "--", "key", "roll", "default", "--gr"])).out).toBe("--grace\n");
  expect((await vmx(["complete", "--", "get", "keys", "-o", "j"])).out).toBe("json\n");
  for (const shell of ["bash", "zsh", "fish"]) {
    expect((await vmx(["completion", shell])).out).toContain("vmx complete");
  }
}, 60_000);

test("the doctor finds a gateway that answers, and a setting that is wrong", async () => {
  const well = await vmx(["doctor", "-o", "json"], {
    environment: { DATA_DIR: folder.path, PORT: "0" },
  });
  expect(well.code).toBe(0);
  expect(JSON.parse(well.out).at(-1)).toMatchObject({ check: "sign-in", state: "ok" });
  const ill = await vmx(["doctor"], { environment: { PORT: "many" } });
  expect(ill).toMatchObject({ code: 1, out: expect.stringContaining("PORT") });
  const broken = await vmx(["doctor", "-o", "json"], {
    environment: {
      DATA_DIR: join(folder.path, "elsewhere"),
      DATABASE_URL: "postgres://vmx:pass-word@127.0.0.1:9/vmx",
      VMX_ENCRYPTION_KEY: "short",
      VMX_DRAIN_SECOND: "3",
      VMX_PROCESSES: "2",
    },
  });
  expect(broken.code).toBe(1);
  const found: { check: string; state: string; detail: string }[] = JSON.parse(broken.out);
  const told = Object.fromEntries(found.map(({ check, ...rest }) => [check, rest]));
  expect(told["variables"]).toMatchObject({
    state: "warning",
    detail: expect.stringContaining("did you mean VMX_DRAIN_SECONDS?"),
  });
  expect(told["encryption"]).toMatchObject({
    state: "failed",
    detail: expect.stringContaining("VMX_ENCRYPTION_KEY"),
  });
  expect(told["database"]?.state).toBe("failed");
  expect(told["shared state"]?.detail).toContain("Set REDIS_URL or VMX_PROCESSES=1");
  expect(broken.out + broken.talk).not.toContain("pass-word");
  expect(existsSync(join(folder.path, "elsewhere"))).toBe(false);
}, 60_000);

test("a logout ends the token on the gateway", async () => {
  await vmx(["login", url, "-u", "admin", "--password-from-stdin", "--context", "second"], {
    stdin: password,
  });
  const contexts = join(folder.path, "config/vmx/contexts.json");
  const { token } = JSON.parse(readFileSync(contexts, "utf8")).contexts.second;
  expect((await vmx(["logout", "--context", "second"])).code).toBe(0);
  const answer = await fetch(`${url}/api/v1/me`, { headers: { authorization: `Bearer ${token}` } });
  expect(answer.status).toBe(401);
  await vmx(["context", "use", "default"]);
}, 60_000);
