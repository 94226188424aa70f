import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import axe from "axe-core";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { onTestFailed } from "vitest";

/** A gateway with its console, and a browser that looks at it. */
export interface Console {
  readonly url: string;
  /** Path of the first run's environment in the console. */
  readonly home: string;
  /** Opens a page in a context of its own, signed in unless told otherwise. */
  open(options?: OpenOptions): Promise<Visit>;
  /** Calls the management API as the administrator. */
  call(method: string, path: string, body?: unknown): Promise<Response>;
  /** Path of the first run's environment on the management API. */
  readonly apiPath: string;
  stop(): Promise<void>;
}

/** How a page is opened. */
export interface OpenOptions {
  readonly theme?: "light" | "dark";
  readonly width?: number;
  readonly signedIn?: boolean;
}

/** A page and what went wrong on it. */
export interface Visit {
  readonly page: Page;
  /** Errors the page has written or thrown; refused calls are told apart by their text. */
  readonly faults: string[];
  /** Goes to a path and waits until everything has arrived. */
  go(path: string): Promise<void>;
  /** Serious and critical findings of axe, in a line each. */
  audit(): Promise<string[]>;
  /** Keeps a picture for people to look at. */
  picture(name: string): Promise<void>;
  close(): Promise<void>;
}

const password = "correct horse battery staple";
const adminToken = "console-test-admin-token-0123456789abcdef";
const pictures = fileURLToPath(new URL("../screenshots/", import.meta.url));

/** Starts a gateway as its user does, on a free port with an embedded database, and Chromium. */
export async function startConsole(
  environment: Readonly<Record<string, string>> = {},
): Promise<Console> {
  const dataDir = mkdtempSync(join(tmpdir(), "vmx-console-"));
  const gateway = await startGateway({
    HOST: "127.0.0.1",
    PORT: "0",
    DATA_DIR: dataDir,
    VMX_ADMIN_PASSWORD: password,
    VMX_ADMIN_TOKEN: adminToken,
    LOG_LEVEL: "error",
    LOG_FORMAT: "json",
    ...environment,
  });
  const { url } = gateway;
  const call: Console["call"] = (method, path, body) =>
    fetch(url + path, {
      method,
      headers: {
        authorization: `Bearer ${adminToken}`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  const { data: [workspace] } = await (await call(
    "GET",
    "/api/v1/workspaces?includesEnvironments=true",
  )).json() as { data: { workspaceId: string; environments: { environmentId: string }[] }[] };
  const browser = await chromium.launch({
    executablePath: process.env["VMX_TEST_CHROMIUM"] ?? "/usr/bin/chromium",
    args: ["--no-sandbox"],
  });
  mkdirSync(pictures, { recursive: true });
  let cookies: Awaited<ReturnType<BrowserContext["cookies"]>> | undefined;

  const open: Console["open"] = async (
    { theme = "light", width = 1280, signedIn = true } = {},
  ) => {
    const context = await browser.newContext({
      baseURL: url,
      viewport: { width, height: width < 600 ? 844 : 900 },
      colorScheme: theme,
      reducedMotion: "reduce",
    });
    if (signedIn && cookies) await context.addCookies(cookies);
    const visit = await watch(context);
    if (signedIn && !cookies) {
      await signIn(visit.page);
      cookies = await context.cookies();
      visit.faults.length = 0;
    }
    return visit;
  };

  return {
    url,
    home: "/w/default/default",
    apiPath: `/api/v1/workspaces/${workspace!.workspaceId}/environments/${
      workspace!.environments[0]!.environmentId
    }`,
    open,
    call,
    async stop() {
      await stopBrowser(browser);
      await gateway.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

/** Signs in with the keyboard alone. */
export async function signIn(page: Page): Promise<void> {
  await page.goto("/sign-in");
  await page.getByLabel("Username or email").fill("admin");
  await page.keyboard.press("Tab");
  await page.keyboard.type(password);
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/w\//);
}

async function watch(context: BrowserContext): Promise<Visit> {
  const page = await context.newPage();
  // What somebody would have seen when a condition never came true.
  onTestFailed(async ({ task }) => {
    if (page.isClosed()) return;
    const told = await page.locator(".note.bad, [role=alert], .fault, .toast").allInnerTexts()
      .catch(() => []);
    globalThis.console.log(
      `At ${page.url()}: ${[...faults, ...told].join(" | ") || "nothing told"}`,
    );
    const name = task.name.slice(0, 80).replace(/\W+/g, "-");
    await page.screenshot({ path: join(pictures, `failed-${name}.png`), timeout: 10_000 });
  });
  const faults: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error") faults.push(`${message.text()} ${message.location().url}`);
  });
  page.on("pageerror", (error) => faults.push(error.message));
  page.on("request", (request) => {
    const { origin, protocol } = new URL(request.url());
    const own = new URL(page.url() === "about:blank" ? request.url() : page.url()).origin;
    if (protocol.startsWith("http") && origin !== own) faults.push(`Third party: ${request.url()}`);
  });
  return {
    page,
    faults,
    async go(path) {
      await page.goto(path);
      await page.locator("main h1, dialog[open]").first().waitFor();
      // Live streams keep the network busy: what is waited for is the page.
      await page.waitForFunction(() => !document.querySelector(".skeleton"));
      await page.waitForTimeout(250);
    },
    async audit() {
      await page.evaluate(axe.source);
      const found = await page.evaluate(async () => {
        const { axe } = globalThis as unknown as { axe: typeof import("axe-core") };
        const { violations } = await axe.run(document, {
          runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
        });
        return violations
          .filter(({ impact }) => impact === "serious" || impact === "critical")
          .flatMap(({ id, nodes }) =>
            nodes.map(({ html, failureSummary }) =>
              `${id}: ${html.slice(0, 160)} ${failureSummary}`
            )
          );
      });
      return found;
    },
    async picture(name) {
      await page.screenshot({ path: join(pictures, `${name}.png`), fullPage: true });
    },
    close: () => context.close(),
  };
}

async function stopBrowser(browser: Browser): Promise<void> {
  await browser.close().catch(() => {});
}

async function startGateway(
  variables: Readonly<Record<string, string>>,
): Promise<{ readonly url: string; stop(): Promise<void> }> {
  const root = fileURLToPath(new URL("../../", import.meta.url));
  const child: ChildProcess = spawn(process.execPath, ["core/main.ts"], {
    cwd: root,
    env: { PATH: process.env["PATH"], HOME: process.env["HOME"], ...variables },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  const url = await new Promise<string>((resolve, reject) => {
    const read = (chunk: Buffer) => {
      output += chunk.toString();
      const line = output.split("\n").find((each) => each.includes('"event":"ready"'));
      if (!line) return;
      const ready = JSON.parse(line) as { consoleUrl?: string };
      if (ready.consoleUrl) resolve(ready.consoleUrl);
      else reject(new Error("Cannot test the console: run `npm run build:console` first"));
    };
    child.stdout!.on("data", read);
    child.stderr!.on("data", (chunk: Buffer) => output += chunk.toString());
    child.once("exit", (code) => reject(new Error(`The gateway ended with ${code}:\n${output}`)));
  });
  return {
    url,
    async stop() {
      if (child.exitCode !== null) return;
      const ended = once(child, "exit");
      child.kill("SIGTERM");
      await ended;
    },
  };
}
