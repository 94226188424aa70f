import { afterAll, beforeAll, expect, test } from "vitest";
import {
  startIdentityProvider,
  type TestIdentityProvider,
} from "../../core/management/federation/testing.ts";
import { type Console, startConsole, type Visit } from "./console.ts";

/* A real identity provider, a real gateway and a real browser. */

let provider: TestIdentityProvider;
let console: Console;
const timeoutMs = 120_000;

beforeAll(async () => {
  provider = await startIdentityProvider();
  console = await startConsole({
    OIDC_FEDERATED_ISSUER: provider.issuer,
    OIDC_FEDERATED_CLIENT_ID: provider.clientId,
    OIDC_FEDERATED_CLIENT_SECRET: provider.clientSecret,
    OIDC_FEDERATED_DEFAULT_ROLE: "read-only",
    VMX_OIDC_ROLE_CLAIM: "groups",
    VMX_OIDC_ROLE_MAP: "platform=admin,builders=power-user",
  });
  provider.serve(`${console.url}/api/v1/auth/oidc/callback`);
}, timeoutMs);

afterAll(async () => {
  await console.stop();
  await provider.stop();
});

const person = (email: string, claims: Record<string, unknown> = {}) => ({
  email,
  email_verified: true,
  name: "Ann Example",
  given_name: "Ann",
  family_name: "Example",
  ...claims,
});

/** A browser nobody has signed in with. The provider's own page asks the internet for fonts: there is none. */
async function openStranger(): Promise<Visit> {
  const visit = await console.open({ signedIn: false });
  await visit.page.context().route(
    (url) => url.hostname !== "127.0.0.1",
    (route) => route.abort(),
  );
  return visit;
}

/** Types a name into the provider's page. Any password will do. */
async function signInAtProvider({ page, faults }: Visit, account: string): Promise<void> {
  await page.getByRole("link", { name: /^Continue with/ }).click();
  await page.waitForURL((url) => url.origin === provider.issuer);
  await page.locator("input[name=login]").fill(account);
  await page.locator("input[name=password]").fill("any");
  await page.keyboard.press("Enter");
  await page.waitForURL((url) => url.origin === console.url);
  // What its page did is not the console's.
  faults.length = 0;
}

test(
  "people sign in at their identity provider and come back to where they were going, with the roles it gave them",
  {
    timeout: timeoutMs,
  },
  async () => {
    provider.accounts.set("ann", person("ann@example.com", { groups: ["platform", "others"] }));
    const visit = await openStranger();
    const { page } = visit;
    await page.goto("/roles?q=read");
    await page.getByRole("heading", { name: "Sign in to VM-X" }).waitFor();
    expect(await visit.audit()).toEqual([]);
    await visit.picture("sign-in-federated");
    await signInAtProvider(visit, "ann");
    await page.waitForURL(/\/roles\?q=read$/);
    await page.getByRole("heading", { name: "Roles" }).waitFor();
    const rolesOnProfile = async () => {
      await visit.go("/account");
      return await page.locator("dt", { hasText: /^Roles$/ }).locator("+ dd").textContent();
    };
    // The provider rules over mapped roles alone: the role of new people was given once.
    expect(await rolesOnProfile()).toMatch(/admin/);
    await visit.picture("account-federated");
    await visit.go("/users");
    const row = page.getByRole("row").filter({ hasText: "ann@example.com" });
    await row.getByText("federated").waitFor();
    await row.getByText("admin", { exact: true }).waitFor();
    expect(visit.faults).toEqual([]);

    // Whoever leaves a group there loses its role here at the next sign-in.
    provider.accounts.set("ann", person("ann@example.com", { groups: ["builders"] }));
    await page.getByRole("button", { name: /^Account/ }).click();
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.waitForURL(/\/sign-in/);
    await page.getByRole("link", { name: /^Continue with/ }).click();
    // The provider knows the browser still and asks nobody anything.
    await page.getByRole("button", { name: /^Account/ }).waitFor();
    const roles = await rolesOnProfile();
    expect(roles).toMatch(/power-user/);
    expect(roles).not.toMatch(/admin/);
    await visit.close();
  },
);

test("who never was signed in is asked to, and whose session has ended is told so and comes back", {
  timeout: timeoutMs,
}, async () => {
  const stranger = await openStranger();
  await stranger.page.goto("/roles");
  await stranger.page.getByRole("heading", { name: "Sign in to VM-X" }).waitFor();
  expect(await stranger.page.getByText("Your session has ended").count()).toBe(0);
  await stranger.close();
  const visit = await console.open();
  const { page } = visit;
  await visit.go("/w/default/default/keys");
  await page.context().clearCookies();
  await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "AI Resources" })
    .click();
  await page.getByText("Your session has ended").waitFor();
  await page.getByLabel("Username or email").fill("admin");
  await page.getByLabel("Password").fill("correct horse battery staple");
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/resources$/);
  await page.getByRole("heading", { name: "AI Resources" }).waitFor();
  await visit.close();
});

test(
  "who is refused is told why on the sign-in page, in words",
  { timeout: timeoutMs },
  async () => {
    provider.accounts.set("jo", person("jo@example.com", { email: undefined }));
    const visit = await openStranger();
    const { page } = visit;
    await page.goto("/sign-in");
    await signInAtProvider(visit, "jo");
    await page.getByText("no verified email address").waitFor();
    expect(page.url()).toContain("/sign-in");
    expect(await visit.audit()).toEqual([]);
    await visit.picture("sign-in-refused");
    await visit.close();
  },
);

test("while the provider is away the sign-in page says so, and a password still opens the door", {
  timeout: timeoutMs,
}, async () => {
  const visit = await openStranger();
  const { page } = visit;
  await page.goto("/w/default/default/keys");
  const button = page.getByRole("link", { name: /^Continue with/ });
  await button.waitFor();
  await provider.pause();
  try {
    await button.click();
    await page.getByText("The identity provider did not answer").waitFor();
    expect(await visit.audit()).toEqual([]);
    await visit.picture("sign-in-provider-away");
    await page.getByLabel("Username or email").fill("admin");
    await page.getByLabel("Password").fill("correct horse battery staple");
    await page.keyboard.press("Enter");
    // It leads to where the way through the provider would have led.
    await page.waitForURL(/\/keys$/);
    // The browser calls it an error that nobody was signed in before.
    expect(visit.faults.filter((fault) => !/401 .*\/auth\/session$/.test(fault))).toEqual([]);
  } finally {
    await provider.resume();
  }
  await visit.close();
});
