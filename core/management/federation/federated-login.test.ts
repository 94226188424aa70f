import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestManagement, type TestManagement } from "../testing.ts";
import { createTestBrowser, type TestBrowser } from "./testing-browser.ts";
import { startIdentityProvider, type TestIdentityProvider } from "./testing.ts";

/* A real identity provider, a real gateway, and a browser as far as it matters. */

const federated = {
  provider: "oidc",
  defaultRole: "read-only",
  roleClaim: "realm.roles",
  roleMap: [
    { value: "platform", role: "admin" },
    { value: "builders", role: "power-user" },
  ],
  linkByEmail: false,
};

let provider: TestIdentityProvider;
let plane: TestManagement;

beforeAll(async () => {
  provider = await startIdentityProvider();
  plane = await startTestManagement({}, { federated }, {
    environment: {
      OIDC_FEDERATED_ISSUER: provider.issuer,
      OIDC_FEDERATED_CLIENT_ID: provider.clientId,
      OIDC_FEDERATED_CLIENT_SECRET: provider.clientSecret,
    },
  });
  provider.serve(callback());
});
afterAll(async () => {
  await plane.stop();
  await provider.stop();
});

const callback = () => `${plane.url}/api/v1/auth/oidc/callback`;
const startUrl = () =>
  `${plane.url}/api/v1/auth/oidc/start?${new URLSearchParams({ returnTo: "/workspaces?tab=1" })}`;
const person = (email: string, over: Record<string, unknown> = {}) => ({
  email,
  email_verified: true,
  name: "Ann Example",
  given_name: "Ann",
  family_name: "Example",
  realm: { roles: ["builders", "unknown"] },
  ...over,
});

/** Signs in until the provider has sent the browser back. Answers the way back, not yet taken. */
async function wayBack(browser: TestBrowser, account: string): Promise<string> {
  const page = await browser.open(startUrl());
  expect(page.status, page.text).toBe(200);
  const back = await browser.submit(
    page,
    { login: account, password: "any" },
    (location) => location.startsWith(callback()),
  );
  expect(back.location, back.text).not.toBeNull();
  return back.location!;
}

async function signIn(account: string, browser = createTestBrowser()) {
  const url = await wayBack(browser, account);
  const page = await browser.open(url, () => true);
  const body = page.text === "" ? undefined : JSON.parse(page.text) as { code?: string };
  return { ...page, code: body?.code, browser, back: url };
}

async function session(browser: TestBrowser) {
  const id = browser.cookies.get(new URL(plane.url).host)?.get("vmx_session");
  return await plane.send("GET", "/api/v1/auth/session", undefined, {
    cookie: `vmx_session=${id}`,
  });
}

const rolesOf = (answer: { body: { roles: { name: string }[] } }) =>
  answer.body.roles.map(({ name }) => name).sort();

test("the sign-in page is told that there is an identity provider and that it answers", async () => {
  const { body } = await plane.send("GET", "/api/v1/auth/options");
  expect(body).toEqual({
    local: true,
    oidc: { enabled: true, label: new URL(provider.issuer).host, state: "ok" },
  });
  const system = (await plane.call("GET", "/api/v1/system")).body;
  expect(system.oidc).toMatchObject({ enabled: true, state: "ok" });
});

test("a first login makes a user with the default role and the mapped ones, and begins a session", async () => {
  provider.accounts.set("ann", person("Ann@Example.com"));
  const { status, location, browser } = await signIn("ann");
  expect([status, location]).toEqual([302, `${plane.url}/workspaces?tab=1`]);
  const answer = await session(browser);
  expect(answer.body.user).toMatchObject({
    email: "Ann@Example.com",
    emailVerified: true,
    name: "Ann Example",
    state: "ACTIVE",
    providerType: "OIDC",
    providerIssuer: provider.issuer,
    providerSubject: "ann",
  });
  expect(rolesOf(answer)).toEqual(["power-user", "read-only"]);
});

test("mapped roles become what the claim says at each login, and no other role is touched", async () => {
  provider.accounts.set("bo", person("bo@example.com", { realm: { roles: ["platform"] } }));
  const first = await session((await signIn("bo")).browser);
  expect(rolesOf(first)).toEqual(["admin", "read-only"]);
  const own = (await plane.call("POST", "/api/v1/roles", {
    name: "own",
    policy: { statements: [{ effect: "allow", actions: ["user:list"], resources: ["user"] }] },
  })).body;
  const { userId } = first.body.user;
  await plane.call("POST", `/api/v1/roles/${own.roleId}/assign`, { userIds: [userId] });
  provider.accounts.set("bo", person("bo@example.com", { realm: { roles: "builders" } }));
  const second = await session((await signIn("bo")).browser);
  expect(second.body.user.userId).toBe(userId);
  expect(rolesOf(second)).toEqual(["own", "power-user", "read-only"]);
  const trail = (await plane.call("GET", `/api/v1/activity?entityId=${userId}`)).body.data;
  expect(trail.map((line: { action: string }) => line.action)).toEqual([
    "user:update",
    "user:create",
  ]);
});

test("an email moves with its person: issuer and subject tell who somebody is", async () => {
  provider.accounts.set("cy", person("cy@example.com"));
  const first = await session((await signIn("cy")).browser);
  provider.accounts.set("cy", person("else@example.com"));
  const second = await session((await signIn("cy")).browser);
  expect(second.body.user.userId).toBe(first.body.user.userId);
  // Somebody else who now has the email does not become them.
  provider.accounts.set("cyril", person("CY@example.com"));
  expect((await signIn("cyril")).code).toBe("OIDC_EMAIL_MISMATCH");
});

test("without an email, and with one nobody has verified, no user is made", async () => {
  provider.accounts.set("nomail", person("x@example.com", { email: undefined }));
  expect((await signIn("nomail")).code).toBe("OIDC_EMAIL_NOT_AVAILABLE");
  for (const verified of [false, "true", undefined, 1]) {
    provider.accounts.set("unsure", person("unsure@example.com", { email_verified: verified }));
    const { status, code, browser } = await signIn("unsure");
    expect([status, code]).toEqual([400, "OIDC_EMAIL_NOT_AVAILABLE"]);
    expect((await session(browser)).status).toBe(401);
  }
});

test("an email of a local user links only when it is verified and the operator allows it", async () => {
  const local = { username: "dora", email: "dora@example.com", firstName: "Dora", lastName: "D" };
  expect((await plane.call("POST", "/api/v1/users", local)).status).toBe(201);
  provider.accounts.set("dora", person("dora@example.com", { realm: {} }));
  expect((await signIn("dora")).code).toBe("OIDC_EMAIL_MISMATCH");
  federated.linkByEmail = true;
  try {
    provider.accounts.set("eve", person("dora@example.com", { email_verified: false }));
    expect((await signIn("eve")).code).toBe("OIDC_EMAIL_MISMATCH");
    const linked = await session((await signIn("dora")).browser);
    expect(linked.body.user).toMatchObject({ username: "dora", providerSubject: "dora" });
    // A login never adds rights: the default role is for users it made.
    expect(rolesOf(linked)).toEqual([]);
    provider.accounts.set("eve", person("dora@example.com"));
    expect((await signIn("eve")).code).toBe("OIDC_EMAIL_MISMATCH");
  } finally {
    federated.linkByEmail = false;
  }
});

test("an inactive user stays outside, and the refusal is in the trail", async () => {
  provider.accounts.set("flo", person("flo@example.com"));
  const { body } = await session((await signIn("flo")).browser);
  const { userId } = body.user;
  await plane.call("PATCH", `/api/v1/users/${userId}`, { state: "INACTIVE" });
  const { status, code } = await signIn("flo");
  expect([status, code]).toEqual([403, "USER_INACTIVE"]);
  const trail = (await plane.call("GET", `/api/v1/activity?entityId=${userId}`)).body.data;
  expect(trail[0].action).toBe("auth:login-failed");
});

test("an answer counts once, in the browser that began, and only with its own state", async () => {
  provider.accounts.set("gil", person("gil@example.com"));
  const browser = createTestBrowser();
  const back = await wayBack(browser, "gil");
  // Another browser does not use the answer up.
  const thief = createTestBrowser();
  await thief.open(startUrl(), () => true);
  for (const other of [createTestBrowser(), thief]) {
    const page = await other.open(back, () => true);
    expect(JSON.parse(page.text).code).toBe("OIDC_RESPONSE_ERROR");
    expect((await session(other)).status).toBe(401);
  }
  const forged = back.replace(/state=[^&]+/, `state=${"A".repeat(43)}`);
  expect((await browser.open(forged, () => true)).status).toBe(400);
  const both = await Promise.all([browser.open(back, () => true), browser.open(back, () => true)]);
  expect(both.map(({ status }) => status).sort()).toEqual([302, 400]);
  const replayed = await browser.open(back, () => true);
  expect(JSON.parse(replayed.text)).toMatchObject({ code: "OIDC_RESPONSE_ERROR", status: 400 });
});

test("a code of one login is of no use in another", async () => {
  provider.accounts.set("hal", person("hal@example.com"));
  const [one, other] = [createTestBrowser(), createTestBrowser()];
  const stolen = new URL(await wayBack(one, "hal")).searchParams.get("code")!;
  const back = new URL(await wayBack(other, "hal"));
  back.searchParams.set("code", stolen);
  const page = await other.open(back.href, () => true);
  expect(JSON.parse(page.text)).toMatchObject({ code: "OIDC_RESPONSE_ERROR" });
  expect(JSON.parse(page.text).detail).toContain("invalid_grant");
});

test("keys that the provider rotates between beginning and end of a login are read anew", async () => {
  provider.accounts.set("ida", person("ida@example.com"));
  await signIn("ida");
  provider.rotateKeys();
  expect((await signIn("ida")).status).toBe(302);
});

test("a provider that calls itself something else is refused", async () => {
  provider.rename("http://127.0.0.1:1");
  const { status, body } = await plane.send("GET", startPath());
  expect([status, body.code]).toEqual([400, "OIDC_RESPONSE_ERROR"]);
  provider.rename(undefined);
});

test("while the provider is away its button says so, and local logins go on", async () => {
  await provider.pause();
  try {
    const { status, body } = await plane.send("GET", startPath());
    expect([status, body.code]).toEqual([400, "OIDC_RESPONSE_ERROR"]);
    expect(body.detail).toContain("cannot be reached");
    plane.clock.offsetMs += 60_000;
    const options = (await plane.send("GET", "/api/v1/auth/options")).body;
    expect(options).toMatchObject({ local: true, oidc: { enabled: true, state: "away" } });
    const local = await plane.send("POST", "/api/v1/auth/login", {
      username: "admin",
      password: "correct horse battery staple",
    });
    expect(local.status).toBe(200);
    const page = await plane.send("GET", startPath(), undefined, { accept: "text/html" });
    expect(page.text).not.toContain("code");
  } finally {
    await provider.resume();
    plane.clock.offsetMs += 60_000;
  }
  expect((await plane.send("GET", "/api/v1/auth/options")).body.oidc.state).toBe("ok");
});

test("a browser that is refused comes back to the sign-in page with the reason's code", async () => {
  provider.accounts.set("jo", person("jo@example.com", { email: undefined }));
  const browser = createTestBrowser({ accept: "text/html,application/xhtml+xml" });
  const { status, location } = await signIn("jo", browser);
  expect(status).toBe(302);
  expect(location).toBe(
    `${plane.url}/sign-in?error=OIDC_EMAIL_NOT_AVAILABLE&returnTo=%2Fworkspaces%3Ftab%3D1`,
  );
});

test.each([
  "https://evil.example/",
  "//evil.example/",
  "/\\evil.example",
  "\\\\evil.example",
  "/\t/evil.example",
  "javascript:alert(1)",
  "/..//evil.example",
  "/a\r\nset-cookie: x=1",
  "/api/v1/auth/oidc/start",
  "workspaces",
  "",
])("nobody is sent to %j in the end", async (returnTo) => {
  const query = new URLSearchParams({ returnTo });
  const answer = await plane.send("GET", `/api/v1/auth/oidc/start?${query}`);
  expect([answer.status, answer.body?.code]).toEqual([400, "VALIDATION_FAILED"]);
});

test("signing out says where the provider's session ends, and keeps none of its tokens", async () => {
  provider.accounts.set("kim", person("kim@example.com"));
  const { browser } = await signIn("kim");
  const { body } = await session(browser);
  const id = browser.cookies.get(new URL(plane.url).host)?.get("vmx_session");
  const answer = await plane.send("POST", "/api/v1/auth/logout", {}, {
    cookie: `vmx_session=${id}`,
    "x-vmx-csrf": body.csrfToken,
    origin: plane.url,
  });
  expect(answer.status).toBe(204);
  const location = new URL(answer.headers.get("location")!);
  expect(location.origin).toBe(provider.issuer);
  expect(location.searchParams.get("post_logout_redirect_uri")).toBe(`${plane.url}/sign-in`);
  expect((await session(browser)).status).toBe(401);
});

test("nothing that was logged or answered holds the client secret, a code or a verifier", () => {
  const lines = plane.logged.join("\n");
  expect(lines.length).toBeGreaterThan(1000);
  expect(lines).not.toContain(provider.clientSecret);
  expect(lines).not.toContain("code_verifier");
  expect(lines).not.toMatch(/[?&]code=/);
});

const startPath = () => "/api/v1/auth/oidc/start";
