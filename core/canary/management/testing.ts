import { Buffer } from "node:buffer";
import { fileURLToPath } from "node:url";
import { random } from "../secrets/testing.ts";
import { issuerMoods } from "../services/testing.ts";
import type { Stage } from "../stage/testing.ts";

/** What calling every operation came to. */
export interface Coverage {
  readonly failed: readonly string[];
  readonly missing: readonly string[];
}

/** Calls every operation of the OpenAPI document and answers what the script that does so tells. */
export async function everyOperation(stage: Stage): Promise<Coverage> {
  const { given, keep, proxy, run } = stage;
  const { out, talk } = await run([
    fileURLToPath(new URL("../../../sdk/every-operation.ts", import.meta.url)),
  ], {
    VMX_BASE_URL: `${proxy.url}/v1`,
    VMX_TOKEN: given["administrator's token"],
  });
  keep("command line", "the client's output", out + talk);
  return JSON.parse(out);
}

/** Calls that must fail, with secrets where they belong and where they do not. */
export async function wrongCalls(stage: Stage): Promise<void> {
  const { given, call, done, environmentPath, provider, proxy } = stage;
  const users = "/api/v1/users";
  const person = {
    firstName: "Ana",
    lastName: "Lima",
    username: "canary",
    email: "canary@example.com",
    password: given["user's password"],
    state: "ACTIVE",
  };
  await done(users, { body: person });
  const login = (username: string, password: string) =>
    call("/api/v1/auth/login", { body: { username, password }, bearer: null });
  await login("canary", given["mistyped password"]);
  await login(given["password typed as a name"], given["user's password"]);
  await login("nobody", given["user's password"]);
  const { headers } = await login("canary", given["user's password"]);
  const cookie = headers.getSetCookie()[0]!.split(";")[0]!;
  const session = JSON.parse(
    (await call("/api/v1/auth/session", { headers: { cookie }, bearer: null }))
      .text,
  );
  const own = { cookie, "x-vmx-csrf": session.csrfToken, origin: proxy.url };
  await call("/api/v1/me", { bearer: null, headers: { cookie: `${cookie}x` } });
  await call("/api/v1/me", { bearer: null, headers: { cookie, "x-vmx-csrf": "wrong" }, body: {} });
  const passwords = [
    { currentPassword: given["mistyped password"], newPassword: given["user's next password"] },
    { currentPassword: given["user's password"], newPassword: "short" },
    { currentPassword: given["user's password"], newPassword: given["user's next password"] },
  ];
  for (const body of passwords) {
    await call("/api/v1/auth/password", { headers: own, body, bearer: null });
  }
  for (const bearer of [given["mistyped token"], `vmx_pat_${given["mistyped token"]}`]) {
    await call("/api/v1/me", { bearer });
    await call("/v1/models", { bearer });
  }
  const basic = Buffer.from(`canary:${given["user's password"]}`).toString("base64");
  await call("/api/v1/me", { bearer: null, headers: { authorization: `Basic ${basic}` } });

  // Secrets where they do not belong: in other members, in texts that are no JSON, in queries and headers.
  const connections = `${environmentPath}/ai-connections`;
  const secret = given["refused provider key"];
  const config = { apiKey: secret, baseUrl: provider.url };
  const made = { name: "refused", provider: "openai-compatible" };
  const wrong: [string, unknown][] = [
    [connections, { ...made, config: { ...config, apiKey: { value: secret } } }],
    [connections, { ...made, config: { ...config, apiKey: [secret] } }],
    [connections, { ...made, config: { ...config, apikey: secret } }],
    [connections, { ...made, config: { ...config, apiKey: `${secret} ${secret}` } }],
    [connections, { ...made, config: { ...config, apiKey: secret.repeat(200) } }],
    [connections, { ...made, config: { ...config, headers: { authorization: secret } } }],
    [connections, { ...made, config: { ...config, headers: { "bad name": secret } } }],
    [connections, { ...made, config: { ...config, headers: { x: `${secret}\r\nx: y` } } }],
    [connections, { ...made, config: { baseUrl: `http://user:${secret}@127.0.0.1/` } }],
    [connections, { ...made, config: { ...config, baseUrl: `http://127.0.0.1/#${secret}` } }],
    [connections, { ...made, config: secret }],
    [connections, { ...made, config, apiKey: secret }],
    [connections, { ...made, provider: "aws-bedrock", config: { secretAccessKey: secret } }],
    [connections, `{"name":"x","config":{"apiKey":${JSON.stringify(secret)}`],
    [connections, `{"apiKey":${secret}}`],
    [`${connections}/test`, { ...made, config: { ...config, baseUrl: "http://127.0.0.1:1" } }],
    [`${connections}/test`, { ...made, config: { ...config, baseUrl: "http://169.254.169.254" } }],
    [users, { ...person, username: "other", password: { is: given["user's password"] } }],
    [users, { ...person, pasword: given["user's password"] }],
    [users, `{"password":"${given["mistyped password"]}`],
    ["/api/v1/auth/login", `{"username":"canary","password":${given["mistyped password"]}}`],
    ["/api/v1/auth/login", { username: "canary", passwort: given["mistyped password"] }],
    ["/api/v1/auth/login", { username: ["canary"], password: [given["mistyped password"]] }],
    ["/api/v1/me/tokens", { name: "x", value: given["mistyped token"] }],
    [`${environmentPath}/api-keys`, { name: "x", value: given["mistyped key"] }],
  ];
  for (const [path, body] of wrong) {
    const { status, text } = await call(path, { body, headers: { "idempotency-key": random(8) } });
    if (status < 300 && !path.endsWith("/test")) throw new Error(`${path} took it: ${text}`);
  }
  const plugin = (name: string) => `/api/v1/plugins/${encodeURIComponent(name)}`;
  for (const name of ["@vmx/metrics-questdb", "@vmx/identity-oidc", "@vmx/capacity-redis"]) {
    await call(plugin(name));
    await call(plugin(name), { method: "PATCH", body: { settings: { url: secret, x: secret } } });
    await call(plugin(name), { method: "PATCH", body: { settings: { clientSecret: secret } } });
  }
  await call(
    `/api/v1/workspaces?apiKey=${encodeURIComponent(secret)}&name[]=${secret.slice(0, 18)}`,
  );
  await call("/api/v1/me", { headers: { "x-api-key": secret, "x-vmx-csrf": secret } });
}

/** Signs in through an identity provider that repeats the client secret. */
export async function federatedLogins(stage: Stage): Promise<void> {
  const { call } = stage;
  await call("/api/v1/auth/options", { bearer: null });
  for (const accept of ["text/html", "application/json"]) {
    for (const mood of issuerMoods) {
      const begun = await call("/api/v1/auth/oidc/start", { bearer: null, headers: { accept } });
      const state = new URL(begun.headers.get("location")!).searchParams.get("state")!;
      const cookie = begun.headers.getSetCookie()[0]!.split(";")[0]!;
      const query = new URLSearchParams({ code: mood, state });
      await call(`/api/v1/auth/oidc/callback?${query}`, {
        bearer: null,
        headers: { accept, cookie },
      });
    }
  }
}
