import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import axe from "axe-core";
import {
  type Browser,
  type BrowserContext,
  chromium,
  type Page,
  type Request,
} from "playwright-core";
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
  /** Goes to a path by a link of the page that is there, and waits as `go` does. */
  follow(path: string): Promise<void>;
  /** Makes the window another width and waits until the page has followed. */
  resize(width: number): Promise<void>;
  /** Serious and critical findings of axe, in a line each; of everything, or of colours alone. */
  audit(of?: "everything" | "colours"): Promise<string[]>;
  /** Keeps a picture for people to look at. */
  picture(name: string): Promise<void>;
  close(): Promise<void>;
}

const password = "correct horse battery staple";
const adminToken = "console-test-admin-token-0123456789abcdef";
/** What axe looks for: all that people have agreed on, or only what another theme may break. */
const auditedRules = {
  everything: { type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] },
  colours: { type: "rule", values: ["color-contrast", "link-in-text-block"] },
} as const;
/** Milliseconds without a request after which a page has everything. */
const quietMs = 100;
/** Milliseconds a page has for its requests on a busy machine. */
const patienceMs = 60_000;
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
      viewport: viewportOf(width),
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
  // Live streams never end: what is waited for is the rest.
  const pending = new Set<Request>();
  page.on("requestfinished", (request) => void pending.delete(request));
  page.on("requestfailed", (request) => void pending.delete(request));
  page.on("request", (request) => {
    if (request.headers()["accept"] !== "text/event-stream") pending.add(request);
    const { origin, protocol } = new URL(request.url());
    const own = new URL(page.url() === "about:blank" ? request.url() : page.url()).origin;
    if (protocol.startsWith("http") && origin !== own) faults.push(`Third party: ${request.url()}`);
  });

  /** Waits until everything has arrived: what has may bring the page to ask for more. */
  async function settled(path: string): Promise<void> {
    await page.locator("main h1, dialog[open]").first().waitFor();
    const startedAt = performance.now();
    let quietSince = startedAt;
    while (performance.now() - quietSince < quietMs) {
      await page.waitForTimeout(20);
      if (pending.size > 0) quietSince = performance.now();
      if (performance.now() - startedAt < patienceMs) continue;
      const urls = [...pending].map((request) => request.url()).join(", ");
      throw new Error(`${path} still waits for ${urls}`);
    }
    await page.waitForFunction(() => !document.querySelector(".skeleton"));
  }

  return {
    page,
    faults,
    async go(path) {
      pending.clear();
      await page.goto(path);
      await settled(path);
    },
    async follow(path) {
      await page.evaluate((href) => {
        const link = Object.assign(document.createElement("a"), { href });
        document.querySelector("main")!.append(link);
        link.click();
        link.remove();
      }, path);
      await page.waitForURL((url) => url.href === new URL(path, url).href);
      await settled(path);
    },
    async resize(width) {
      if (page.viewportSize()?.width === width) return;
      await page.setViewportSize(viewportOf(width));
      // Charts draw anew in the frame after the one that tells them.
      await page.evaluate(() =>
        new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))
      );
    },
    async audit(of = "everything") {
      if (!await page.evaluate(() => "axe" in globalThis)) await page.evaluate(axe.source);
      const found = await page.evaluate(async ({ type, values }) => {
        const { axe } = globalThis as unknown as { axe: typeof import("axe-core") };
        const { violations } = await axe.run(document, {
          runOnly: { type, values: [...values] },
          resultTypes: ["violations"],
        });
        return violations
          .filter(({ impact }) => impact === "serious" || impact === "critical")
          .flatMap(({ id, nodes }) =>
            nodes.map(({ html, failureSummary }) =>
              `${id}: ${html.slice(0, 160)} ${failureSummary}`
            )
          );
      }, auditedRules[of]);
      return found;
    },
    async picture(name) {
      await page.screenshot({ path: join(pictures, `${name}.png`), fullPage: true });
    },
    close: () => context.close(),
  };
}

function viewportOf(width: number) {
  return { width, height: width < 600 ? 844 : 900 };
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
