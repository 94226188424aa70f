import { afterAll, beforeAll, expect, test } from "vitest";
import { type Console, startConsole } from "./console.ts";
import { makeSender } from "./traffic.ts";

let console: Console;
const home = "/w/default/default";
const timeoutMs = 120_000;

beforeAll(async () => {
  console = await startConsole();
});

afterAll(() => console.stop());

test(
  "the palette finds pages, objects by name and a pasted request",
  { timeout: timeoutMs },
  async () => {
    const send = await makeSender(console, "palette");
    const response = await send("demo");
    await response.text();
    const requestId = response.headers.get("x-vmx-request-id")!;
    const visit = await console.open();
    const { page } = visit;
    await visit.go(home);
    const search = page.getByRole("combobox", { name: "Search pages, objects and actions" });
    await page.keyboard.press("Control+k");
    await search.fill("prioritiz");
    await page.getByRole("option", { name: /^Prioritization/ }).waitFor();
    expect(await visit.audit()).toEqual([]);
    await visit.picture("palette");
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/prioritization$/);
    await page.keyboard.press("Control+k");
    await search.fill("palette");
    await page.getByRole("option", { name: /^palette/ }).waitFor();
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/keys\/palette$/);
    await page.keyboard.press("Control+k");
    await search.fill(requestId);
    await page.getByRole("option", { name: /request/i }).first().waitFor();
    await page.keyboard.press("Enter");
    await page.waitForURL((url) => url.searchParams.get("request") === requestId);
    await page.getByRole("dialog").getByText(requestId).first().waitFor();
    expect(visit.faults).toEqual([]);
    await visit.close();
  },
);

test(
  "? lists the keys, letters lead to pages from the first moment, and neither fires in a field",
  { timeout: timeoutMs },
  async () => {
    const visit = await console.open();
    const { page } = visit;
    await page.goto(home);
    await page.locator("main h1").waitFor();
    await page.keyboard.press("?");
    const sheet = page.getByRole("dialog", { name: "Keyboard shortcuts" });
    await sheet.getByText("Command palette (⌘ K on a Mac)").waitFor();
    expect(await visit.audit()).toEqual([]);
    await visit.picture("keyboard-sheet");
    await page.keyboard.press("Escape");
    await sheet.waitFor({ state: "hidden" });
    for (
      const [letter, path] of [["r", "resources"], ["c", "connections"], ["u", "usage"]] as const
    ) {
      await page.keyboard.press("g");
      await page.keyboard.press(letter);
      await page.waitForURL((url) => url.pathname === `${home}/${path}`);
      await page.locator("main h1").waitFor();
    }
    await visit.go(`${home}/keys`);
    const filter = page.locator("[data-filter]");
    await page.keyboard.press("/");
    expect(await filter.evaluate((field) => field === document.activeElement)).toBe(true);
    // As slow as people type: the address and what hangs on it have followed before the next letter comes.
    for (const typed of ["g", "g?", "g?n"]) {
      await page.keyboard.type(typed.at(-1)!);
      await page.waitForURL((url) => url.searchParams.get("q") === typed);
      await page.waitForTimeout(100);
      expect(await filter.inputValue()).toBe(typed);
    }
    expect(visit.faults).toEqual([]);
    await visit.close();
  },
);

test("a live page holds one stream, asks for nothing by the clock, and lets go when it is paused", {
  timeout: timeoutMs,
}, async () => {
  const visit = await console.open();
  const { page } = visit;
  const open = new Set<unknown>();
  let asked = 0;
  page.on("request", (request) => {
    if (!new URL(request.url()).pathname.startsWith("/api/")) return;
    if (request.headers()["accept"] === "text/event-stream") open.add(request);
    else asked++;
  });
  const gone = (request: unknown) => void open.delete(request);
  page.on("requestfailed", gone);
  page.on("requestfinished", gone);
  for (const path of ["audit", "capacity", "prioritization"]) {
    await visit.go(`${home}/${path}`);
    await page.getByRole("button", { name: "Live", exact: true }).waitFor();
    await expect.poll(() => open.size, { message: path, timeout: 10_000 }).toBe(1);
    // What the first events bring a page to ask for is asked once; a clock would go on and never be quiet so long.
    let last = asked;
    let quietSince = Date.now();
    const until = Date.now() + 30_000;
    while (Date.now() - quietSince < 3_000) {
      expect(Date.now(), `${path} asks again and again`).toBeLessThan(until);
      await page.waitForTimeout(100);
      if (asked !== last) quietSince = Date.now();
      last = asked;
    }
    expect(open.size, path).toBe(1);
    await page.keyboard.press("l");
    await page.getByRole("button", { name: "Paused" }).waitFor();
    await expect.poll(() => open.size, { timeout: 10_000 }).toBe(0);
    await page.keyboard.press("l");
    await page.getByRole("button", { name: "Live", exact: true }).waitFor();
    await expect.poll(() => open.size, { message: path, timeout: 10_000 }).toBe(1);
  }
  await visit.close();
});

test("the policy of the pages allows neither inline script nor code made at run time, and holds", {
  timeout: timeoutMs,
}, async () => {
  const visit = await console.open();
  const { page } = visit;
  const answer = await page.goto(home);
  const policy = answer!.headers()["content-security-policy"]!;
  expect(policy).toContain("script-src 'self';");
  expect(policy).not.toContain("unsafe-eval");
  expect(policy).not.toMatch(/script-src[^;]*unsafe-inline/);
  // An evaluated text would not be stopped from the tools' side, so the page itself tries.
  await page.addScriptTag({ content: "document.title = 'inline ran'" }).catch(() => {});
  expect(await page.title()).not.toBe("inline ran");
  await visit.close();
});

test("what is chosen on a page stands in its address, and the address alone brings it back", {
  timeout: timeoutMs,
}, async () => {
  const visit = await console.open();
  const { page } = visit;
  await visit.go(`${home}/playground`);
  await page.getByLabel("Language").selectOption("messages");
  await page.getByRole("combobox", { name: "Model 1" }).fill("demo");
  await page.keyboard.press("Tab");
  await page.getByRole("button", { name: "Compare with another" }).click();
  await page.getByRole("combobox", { name: "Model 2" }).fill("echo/echo-slow-1ms");
  await page.keyboard.press("Tab");
  await page.waitForURL((url) => url.searchParams.getAll("model").length === 2);
  await page.reload();
  await expect.poll(() => page.getByRole("combobox", { name: "Model 2" }).inputValue())
    .toBe("echo/echo-slow-1ms");
  expect(await page.getByLabel("Language").inputValue()).toBe("messages");
  await page.getByRole("button", { name: /^Send/ }).click();
  await page.getByText("Done", { exact: true }).nth(1).waitFor();
  expect(await visit.audit()).toEqual([]);
  await visit.picture("playground-compared");
  await visit.close();
  for (const [theme, width] of [["light", 1280], ["dark", 1280], ["light", 390]] as const) {
    const other = await console.open({ theme, width });
    await other.go(`${home}/playground?model=demo`);
    await other.page.getByRole("button", { name: /^Send/ }).click();
    await other.page.getByText("Done", { exact: true }).first().waitFor();
    await other.page.getByRole("link", { name: "Open in audit" }).waitFor();
    await other.picture(`playground-answered-${theme}-${width}`);
    expect(other.faults).toEqual([]);
    await other.close();
  }
});
