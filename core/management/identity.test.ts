import { afterAll, beforeAll, expect, test } from "vitest";
import { type Answer, startTestManagement, type TestManagement } from "./testing.ts";

let plane: TestManagement;
const password = "correct horse battery staple";

beforeAll(async () => {
  plane = await startTestManagement();
});
afterAll(() => plane.stop());

interface Browser {
  readonly cookie: string;
  readonly csrf: string;
  call(method: string, path: string, body?: unknown, headers?: HeadersInit): Promise<Answer>;
}

async function signIn(username = "admin", secret = password): Promise<Browser> {
  const answer = await plane.send("POST", "/api/v1/auth/login", { username, password: secret });
  expect(answer.status, answer.text).toBe(200);
  const cookie = answer.headers.get("set-cookie")!.split(";")[0]!;
  return browser(cookie, answer.body.csrfToken);
}

function browser(cookie: string, csrf: string): Browser {
  return {
    cookie,
    csrf,
    call: (method, path, body, headers) =>
      plane.send(method, path, body, {
        cookie,
        "x-vmx-csrf": csrf,
        origin: plane.url,
        ...Object.fromEntries(new Headers(headers)),
      }),
  };
}

let users = 0;
async function createUser(roles: string[] = []) {
  const listed = (await plane.call("GET", "/api/v1/roles")).body.data;
  const roleIds = listed.filter(({ name }: { name: string }) => roles.includes(name))
    .map(({ roleId }: { roleId: string }) => roleId);
  const username = `user${++users}`;
  const created = await plane.call("POST", "/api/v1/users", {
    username,
    email: `${username}@example.com`,
    firstName: "Test",
    lastName: `User ${users}`,
    password: `a long first password ${users}`,
    state: "ACTIVE",
    roleIds,
  });
  expect(created.status, created.text).toBe(201);
  return { ...created.body, password: `a long first password ${users}` } as {
    userId: string;
    username: string;
    password: string;
  };
}

test("a login answers a session cookie that only the browser's own pages can use", async () => {
  const answer = await plane.send("POST", "/api/v1/auth/login", {
    username: "ADMIN@localhost",
    password,
  });
  expect(answer.body).toMatchObject({ user: { username: "admin" }, passwordChangeRequired: false });
  expect(answer.headers.get("cache-control")).toBe("no-store");
  const cookie = answer.headers.get("set-cookie")!;
  expect(cookie).toMatch(
    /^vmx_session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax; Max-Age=604800$/,
  );
  const own = browser(cookie.split(";")[0]!, answer.body.csrfToken);
  const session = await own.call("GET", "/api/v1/auth/session");
  expect(session.body).toMatchObject({
    csrfToken: own.csrf,
    roles: [{ name: "admin" }],
    memberships: [{ workspaceName: "default", role: "OWNER" }],
  });

  const create = { name: "csrf" };
  for (
    const [headers, why] of [
      [{ cookie: own.cookie, origin: plane.url }, "no token"],
      [{ cookie: own.cookie, origin: plane.url, "x-vmx-csrf": "wrong" }, "wrong token"],
      [{ cookie: own.cookie, "x-vmx-csrf": own.csrf }, "no origin"],
      [{ cookie: own.cookie, "x-vmx-csrf": own.csrf, origin: "https://evil.example" }, "foreign"],
    ] as const
  ) {
    const refused = await plane.send("POST", "/api/v1/workspaces", create, headers);
    expect([refused.status, refused.body.code], why).toEqual([403, "CSRF_TOKEN_INVALID"]);
  }
  const fetched = await own.call("POST", "/api/v1/workspaces", create);
  expect(fetched.status, fetched.text).toBe(201);
});

test("a session is stored by its hash only, and ends at logout, by age and by idleness", async () => {
  const own = await signIn();
  const rows = await plane.database.em().execute<object[]>(
    `select * from ${plane.database.schema}.sessions`,
  );
  expect(JSON.stringify(rows)).not.toContain(own.cookie.split("=")[1]);
  const out = await own.call("POST", "/api/v1/auth/logout");
  expect(out.status).toBe(204);
  expect(out.headers.get("set-cookie")).toContain("Max-Age=0");
  const after = await own.call("GET", "/api/v1/me");
  expect([after.status, after.body.code]).toEqual([401, "SESSION_EXPIRED"]);

  const idle = await signIn();
  plane.clock.offsetMs += 9 * 3_600_000;
  expect((await idle.call("GET", "/api/v1/me")).body.code).toBe("SESSION_EXPIRED");
  const first = await signIn();
  const second = await signIn();
  await first.call("POST", "/api/v1/auth/logout", { all: true });
  expect((await second.call("GET", "/api/v1/me")).body.code).toBe("SESSION_EXPIRED");
});

test("a wrong user and a wrong password look and take the same, and five failures lock", async () => {
  const { username } = await createUser();
  const attempt = (name: string) =>
    plane.send("POST", "/api/v1/auth/login", { username: name, password: "not the password" });
  const bare = ({ body, status }: Answer) => [status, body.code, body.detail, body.title];
  expect(bare(await attempt("nobody-at-all"))).toEqual(bare(await attempt(username)));
  for (let index = 0; index < 4; index++) await attempt(username);
  const locked = await plane.send("POST", "/api/v1/auth/login", { username, password: "x" });
  expect([locked.status, locked.body.code]).toEqual([429, "TOO_MANY_REQUESTS"]);
  expect(Number(locked.headers.get("retry-after"))).toBeGreaterThan(0);
  const trail = () => plane.call("GET", "/api/v1/activity?entityType=user&limit=20");
  // Written down after the answer, which must take the same time for everybody.
  await expect.poll(async () => (await trail()).text, { timeout: 5_000 })
    .toContain("auth:login-locked");
  expect((await trail()).text).not.toContain("nobody-at-all");
  plane.clock.offsetMs += 3 * 3_600_000;
});

test("a password change needs the present one, ends other sessions and tokens, and keeps the rules", async () => {
  const user = await createUser(["power-user"]);
  const own = await signIn(user.username, user.password);
  const other = await signIn(user.username, user.password);
  const token = await own.call("POST", "/api/v1/me/tokens", { name: "old" });
  const change = (currentPassword: string, newPassword: string) =>
    own.call("POST", "/api/v1/auth/password", { currentPassword, newPassword });
  expect((await change("wrong", "an entirely new phrase")).body.code).toBe("INVALID_CREDENTIALS");
  const weak = await change(user.password, "qwerty123456");
  expect([weak.status, weak.body.code]).toEqual([400, "PASSWORD_TOO_WEAK"]);
  expect(weak.body.errors[0].path).toBe("/newPassword");
  const done = await change(user.password, "an entirely new phrase");
  expect(done.status, done.text).toBe(204);
  const renewed = browser(done.headers.get("set-cookie")!.split(";")[0]!, own.csrf);
  expect(renewed.cookie).not.toBe(own.cookie);
  expect((await renewed.call("GET", "/api/v1/me")).status).toBe(200);
  expect((await own.call("GET", "/api/v1/me")).status).toBe(401);
  expect((await other.call("GET", "/api/v1/me")).status).toBe(401);
  const bearer = { authorization: `Bearer ${token.body.token}` };
  expect((await plane.send("GET", "/api/v1/me", undefined, bearer)).body.code)
    .toBe("NOT_AUTHENTICATED");
});

test("who must change the password can do nothing else until then", async () => {
  const user = await createUser(["admin"]);
  await plane.call("PATCH", `/api/v1/users/${user.userId}`, {
    password: "set by an administrator",
  });
  const own = await signIn(user.username, "set by an administrator");
  const refused = await own.call("GET", "/api/v1/workspaces");
  expect([refused.status, refused.body.code]).toEqual([403, "PASSWORD_CHANGE_REQUIRED"]);
  expect((await own.call("GET", "/api/v1/auth/session")).status).toBe(200);
  const changed = await own.call("POST", "/api/v1/auth/password", {
    currentPassword: "set by an administrator",
    newPassword: "chosen by the user alone",
  });
  expect(changed.status).toBe(204);
  const renewed = browser(changed.headers.get("set-cookie")!.split(";")[0]!, own.csrf);
  expect((await renewed.call("GET", "/api/v1/workspaces")).status).toBe(200);
});

test("a personal access token is shown once, narrows its user, expires, and cannot widen itself", async () => {
  const own = await signIn();
  const policy = {
    statements: [{ effect: "ALLOW", actions: ["*:get", "*:list"], resources: ["*"] }],
  };
  const created = await own.call("POST", "/api/v1/me/tokens", {
    name: "reader",
    policy,
    expiresAt: new Date(plane.clock.now() + 60_000).toISOString(),
  });
  expect(created.status, created.text).toBe(201);
  const { token, prefix, tokenId } = created.body;
  expect(token.startsWith(prefix)).toBe(true);
  expect((await own.call("GET", "/api/v1/me/tokens")).text).not.toContain(token);
  const bearer = { authorization: `Bearer ${token}`, cookie: own.cookie };
  expect((await plane.send("GET", "/api/v1/workspaces", undefined, bearer)).status).toBe(200);
  const write = await plane.send("POST", "/api/v1/workspaces", { name: "no" }, bearer);
  expect([write.status, write.body.code]).toEqual([403, "NOT_AUTHORIZED"]);
  const wider = await plane.send("POST", "/api/v1/me/tokens", { name: "wider" }, bearer);
  expect([wider.status, wider.body.code]).toEqual([403, "PRIVILEGE_ESCALATION"]);
  const same = await plane.send("POST", "/api/v1/me/tokens", { name: "same", policy }, bearer);
  expect(same.status, same.text).toBe(201);
  expect((await own.call("POST", "/api/v1/me/tokens", { name: "READER" })).status).toBe(409);
  plane.clock.offsetMs += 61_000;
  expect((await plane.send("GET", "/api/v1/me", undefined, bearer)).body.code).toBe(
    "TOKEN_EXPIRED",
  );
  expect((await own.call("DELETE", `/api/v1/me/tokens/${tokenId}`)).status).toBe(204);
  expect((await own.call("DELETE", `/api/v1/me/tokens/${tokenId}`)).body.code)
    .toBe("TOKEN_NOT_FOUND");
});

test("credentials of the wrong kind get their own answers", async () => {
  const me = (headers: HeadersInit) => plane.send("GET", "/api/v1/me", undefined, headers);
  const code = async (headers: HeadersInit) => (await me(headers)).body.code;
  expect(await code({})).toBe("NOT_AUTHENTICATED");
  expect(await code({ authorization: "Bearer vmx_pat_nonsense" })).toBe("NOT_AUTHENTICATED");
  expect(await code({ authorization: "Basic YWRtaW46eA==" })).toBe("NOT_AUTHENTICATED");
  expect(await code({ cookie: "vmx_session=forged" })).toBe("SESSION_EXPIRED");
  const { value } = plane.firstRun.apiKey;
  expect(await code({ authorization: `Bearer ${value}` })).toBe("API_KEY_CANNOT_MANAGE");
  expect(await code({ "x-api-key": value })).toBe("API_KEY_CANNOT_MANAGE");
  expect(await code({ authorization: "Bearer a", "x-api-key": "b" })).toBe("NOT_AUTHENTICATED");
  expect((await me({})).headers.get("www-authenticate")).toBe("Bearer");
});

test("without membership a workspace is as absent as one that never was", async () => {
  const outsider = await createUser(["power-user"]);
  const own = await signIn(outsider.username, outsider.password);
  const { workspaceId, environmentId } = plane.firstRun;
  const paths = ["", "/members", `/environments/${environmentId}`];
  for (const path of paths) {
    const foreign = await own.call("GET", `/api/v1/workspaces/${workspaceId}${path}`);
    const absent = await own.call("GET", `/api/v1/workspaces/${crypto.randomUUID()}${path}`);
    const malformed = await own.call("GET", `/api/v1/workspaces/nonsense${path}`);
    const comparable = ({ instance: _, requestId: _r, ...rest }: Record<string, unknown>) => rest;
    expect(foreign.status).toBe(404);
    expect(comparable(foreign.body)).toEqual(comparable(absent.body));
    expect(comparable(foreign.body)).toEqual(comparable(malformed.body));
  }
  expect((await own.call("GET", "/api/v1/workspaces")).body.data).toEqual([]);
  const mine = await own.call("POST", "/api/v1/workspaces", { name: "mine alone" });
  expect(mine.status).toBe(201);
  expect((await own.call("GET", "/api/v1/workspaces")).body.data).toHaveLength(1);
});

test("a role's limits hold on every entity, and the refusal names what is missing", async () => {
  const reader = await createUser(["read-only"]);
  await plane.database.em().execute(
    `insert into ${plane.database.schema}.workspace_members (workspace_id, user_id, role, revision)
     values (?, ?, 'MEMBER', (select revision + 1 from ${plane.database.schema}.revision))`,
    [plane.firstRun.workspaceId, reader.userId],
  );
  await plane.call("POST", "/api/v1/workspaces", { name: "moves the revision" });
  const own = await signIn(reader.username, reader.password);
  const base = plane.environmentPath;
  for (const path of ["/ai-connections", "/ai-resources", "/api-keys", ""]) {
    expect((await own.call("GET", base + path)).status, path).toBe(200);
  }
  const refused = await own.call("POST", `${base}/ai-connections`, { name: "x", provider: "echo" });
  expect([refused.status, refused.body.code]).toEqual([403, "NOT_AUTHORIZED"]);
  expect(refused.body).toMatchObject({
    action: "ai-connection:create",
    resource: "workspace:default:environment:default:ai-connection",
  });
  const owner = await own.call("DELETE", `/api/v1/workspaces/${plane.firstRun.workspaceId}`);
  expect([owner.status, owner.body.code]).toEqual([403, "WORKSPACE_OWNER_REQUIRED"]);
  const pairs = new URLSearchParams([
    ["action", "ai-connection:get"],
    ["resource", "workspace:default:environment:default:ai-connection:echo"],
    ["action", "ai-connection:create"],
    ["resource", "workspace:default:environment:default:ai-connection"],
    ["action", "workspace:get"],
    ["resource", "workspace:hidden"],
  ]);
  const rights = await own.call("GET", `/api/v1/me/permissions?${pairs}`);
  expect(rights.body.data.map(({ allowed }: { allowed: boolean }) => allowed))
    .toEqual([true, false, false]);
});

test("nobody takes over a mightier account, grants a mightier role, or removes the last administrator", async () => {
  const admins = await plane.call("GET", "/api/v1/users?q=admin@");
  const adminId = admins.body.data[0].userId;
  const keeper = {
    statements: [{ effect: "allow", actions: ["user:*", "role:*"], resources: ["*"] }],
  };
  const own = await signIn();
  const token = (await own.call("POST", "/api/v1/me/tokens", { name: "keeper", policy: keeper }))
    .body.token;
  const bearer = { authorization: `Bearer ${token}` };
  const strong = await createUser(["admin"]);
  const takeover = await plane.send(
    "PATCH",
    `/api/v1/users/${strong.userId}`,
    { password: "taken over by a token" },
    bearer,
  );
  expect([takeover.status, takeover.body.code]).toEqual([403, "PRIVILEGE_ESCALATION"]);
  const roles = (await plane.call("GET", "/api/v1/roles?name=admin")).body.data;
  const granted = await plane.send("POST", "/api/v1/users", {
    username: "puppet",
    email: "puppet@example.com",
    firstName: "P",
    lastName: "P",
    roleIds: [roles[0].roleId],
  }, bearer);
  expect([granted.status, granted.body.code]).toEqual([403, "PRIVILEGE_ESCALATION"]);

  for (const { userId, username } of (await plane.call("GET", "/api/v1/users")).body.data) {
    if (username !== "admin") await plane.call("DELETE", `/api/v1/users/${userId}`);
  }
  expect((await plane.call("DELETE", `/api/v1/users/${adminId}`)).body.code).toBe("LAST_ADMIN");
  const idle = await plane.call("PATCH", `/api/v1/users/${adminId}`, { state: "INACTIVE" });
  expect(idle.body.code).toBe("LAST_ADMIN");
});

test("a user made inactive is out at once, sessions and tokens alike", async () => {
  const user = await createUser();
  const own = await signIn(user.username, user.password);
  const token = (await own.call("POST", "/api/v1/me/tokens", { name: "t" })).body.token;
  await plane.call("PATCH", `/api/v1/users/${user.userId}`, { state: "INACTIVE" });
  expect((await own.call("GET", "/api/v1/me")).status).toBe(401);
  const bearer = await plane.send("GET", "/api/v1/me", undefined, {
    authorization: `Bearer ${token}`,
  });
  expect([bearer.status, bearer.body.code]).toEqual([403, "USER_INACTIVE"]);
  const login = await plane.send("POST", "/api/v1/auth/login", {
    username: user.username,
    password: user.password,
  });
  expect([login.status, login.body.code]).toEqual([403, "USER_INACTIVE"]);
});

test("what a deactivation ended does not come back with the activation", async () => {
  const user = await createUser(["power-user"]);
  const own = await signIn(user.username, user.password);
  const token = (await own.call("POST", "/api/v1/me/tokens", { name: "t" })).body.token;
  const path = `/api/v1/users/${user.userId}`;
  await plane.call("PATCH", path, { state: "INACTIVE" });
  await plane.call("PATCH", path, { state: "ACTIVE" });
  expect((await own.call("GET", "/api/v1/me")).body.code).toBe("SESSION_EXPIRED");
  const bearer = { authorization: `Bearer ${token}` };
  expect((await plane.send("GET", "/api/v1/me", undefined, bearer)).body.code)
    .toBe("NOT_AUTHENTICATED");
  await signIn(user.username, user.password);
});

test("with VMX_LOCAL_LOGIN=false only the bootstrap administrator signs in with a password", async () => {
  const closed = await startTestManagement({}, { localLogin: false });
  const login = (username: string, secret: string) =>
    closed.send("POST", "/api/v1/auth/login", { username, password: secret });
  try {
    const made = await closed.call("POST", "/api/v1/users", {
      username: "second",
      email: "second@example.com",
      firstName: "S",
      lastName: "S",
      password: "a phrase of one's own",
      state: "ACTIVE",
    });
    expect(made.status, made.text).toBe(201);
    const options = (await closed.send("GET", "/api/v1/auth/options")).body;
    // The form stays while there is no other way in.
    expect(options).toEqual({ local: true, oidc: { enabled: false, label: "" } });
    expect((await login("admin", password)).status).toBe(200);
    const refused = await login("second", "a phrase of one's own");
    const wrong = await login("second", "not the password");
    expect([refused.status, refused.body.code]).toEqual([401, "INVALID_CREDENTIALS"]);
    expect(refused.body.detail).toBe(wrong.body.detail);
  } finally {
    await closed.stop();
  }
});

test("a username and an email of one account share its limit", async () => {
  const { username } = await createUser();
  const attempt = (name: string) =>
    plane.send("POST", "/api/v1/auth/login", { username: name, password: "not the password" });
  for (const name of [username, `${username}@example.com`, username.toUpperCase()]) {
    await attempt(name);
  }
  await attempt(`${username}@EXAMPLE.com`);
  await attempt(username);
  expect((await attempt(`${username}@example.com`)).status).toBe(429);
  plane.clock.offsetMs += 3 * 3_600_000;
});

test("names and emails of users are unique together, in any case", async () => {
  const body = { firstName: "A", lastName: "B", username: "Mixed", email: "mixed@example.com" };
  const user = await plane.call("POST", "/api/v1/users", body);
  expect(user.body).toMatchObject({ name: "A B", state: "ACTIVE" });
  const again = { ...body, username: "MIXED", email: "other@example.com" };
  expect((await plane.call("POST", "/api/v1/users", again)).body.code).toBe("USER_USERNAME_IN_USE");
  const mail = { ...body, username: "other", email: "MIXED@EXAMPLE.COM" };
  expect((await plane.call("POST", "/api/v1/users", mail)).body.code).toBe("USER_EMAIL_IN_USE");
  const crossed = { ...body, username: "mixed@example.com", email: "third@example.com" };
  expect((await plane.call("POST", "/api/v1/users", crossed)).body.code)
    .toBe("USER_USERNAME_IN_USE");
  const renamed = await plane.call("PATCH", `/api/v1/users/${user.body.userId}`, { lastName: "C" });
  expect(renamed.body.name).toBe("A C");
});

test("no password, session or token of this file is in any log line", () => {
  const log = plane.logged.join("\n");
  for (const secret of [password, "a long first password", "an entirely new phrase", "vmx_pat_"]) {
    expect(log).not.toContain(secret);
  }
});
