import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Console, startConsole } from "./console.ts";
import { makeSender, type Send } from "./traffic.ts";

let console: Console;
let send: Send;
const home = "/w/default/default";

beforeAll(async () => {
  console = await startConsole();
  send = await makeSender(console, "journeys");
});

afterAll(() => console.stop());

/** An echo resource whose primary fails. */
async function makeResource(name: string, model: string, fallback?: string): Promise<string> {
  const { data: [echo] } = await (await console.call("GET", `${console.apiPath}/ai-connections`))
    .json();
  const slot = { connectionId: echo.connectionId, model };
  const resource = await (await console.call("POST", `${console.apiPath}/ai-resources`, {
    name,
    model: slot,
    ...(fallback ? { fallbackModels: [{ ...slot, model: fallback }] } : {}),
  })).json();
  return resource.resourceId;
}

test(
  "a request is in the list while it runs and within a second of its end, and opens with its legs",
  { timeout: 120_000 },
  async () => {
    await makeResource("watched", "echo-status-503", "echo-slow-1500ms");
    const visit = await console.open();
    const { page } = visit;
    await visit.go(`${home}/audit`);
    await page.getByRole("button", { name: "Live", exact: true }).waitFor();
    const answered = send("watched").then((response) => response.text());
    await page.getByText("In flight").waitFor();
    await visit.picture("journey-audit-in-flight");
    await answered;
    const row = page.getByRole("row").filter({ hasText: "watched" });
    const settled = async (count: number) => {
      const endedAt = performance.now();
      await row.getByText("OK", { exact: true }).nth(count - 1).waitFor();
      return performance.now() - endedAt;
    };
    let waitedMs = await settled(1);
    // A machine that has other work at the very moment gets another chance.
    for (let count = 2; waitedMs >= 1_000 && count <= 3; count++) {
      await (await send("watched")).text();
      waitedMs = await settled(count);
    }
    globalThis.console.log(`The row had settled ${waitedMs.toFixed(0)} ms after the answer`);
    expect(waitedMs).toBeLessThan(1_000);
    // Opened without a mouse.
    await page.keyboard.press("j");
    await page.keyboard.press("Enter");
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("region", { name: "Timeline" }).waitFor();
    await dialog.getByText("primary echo/echo-status-503").waitFor();
    await dialog.getByText("fallback echo/echo-slow-1500ms").waitFor();
    await dialog.getByText(/so echo\/echo-slow-1500ms was called/).waitFor();
    expect(await visit.audit()).toEqual([]);
    await visit.picture("journey-audit-legs");
    // The address alone shows the same.
    const address = page.url();
    await visit.go(address);
    await dialog.getByText("primary echo/echo-status-503").waitFor();
    await page.keyboard.press("Escape");
    await page.waitForURL((url) => !url.searchParams.has("request"));
    // A row is told live some moments before it can be read: then it is asked for again.
    const notYet = /404 .*\/audit\/[0-9a-f-]{36}$/;
    expect(visit.faults.filter((fault) => !notYet.test(fault))).toEqual([]);
    await visit.close();
  },
);

test("paused, nothing arrives; resumed, what was missed is there", {
  timeout: 120_000,
}, async () => {
  await makeResource("missed", "echo");
  const visit = await console.open();
  const { page } = visit;
  await visit.go(`${home}/audit`);
  await page.getByRole("button", { name: "Live", exact: true }).waitFor();
  await page.keyboard.press("l");
  await page.getByRole("button", { name: "Paused" }).waitFor();
  await (await send("missed")).text();
  await page.waitForTimeout(1_500);
  const row = page.getByRole("row").filter({ hasText: "missed" });
  expect(await row.count()).toBe(0);
  await page.keyboard.press("l");
  await row.first().waitFor();
  expect(await row.count()).toBe(1);
  await visit.close();
});

test("what is typed filters the list and stands in the address", {
  timeout: 120_000,
}, async () => {
  await makeResource("filtered", "echo");
  await (await send("filtered", { vmx: { metadata: { tier: "gold" } } })).text();
  await (await send("no-such-resource")).text();
  const visit = await console.open();
  const { page } = visit;
  await visit.go(`${home}/audit`);
  await page.getByText("no-such-resource").first().waitFor();
  await page.keyboard.press("/");
  await page.keyboard.type("resource:filtered metadata.tier:gold");
  await page.keyboard.press("Enter");
  await page.waitForURL(/resource=filtered&metadata=tier%3Dgold/);
  await page.getByText("no-such-resource").first().waitFor({ state: "detached" });
  await page.getByRole("row").filter({ hasText: "filtered" }).first().waitFor();
  // The field still has the focus, so that the next filter can be typed.
  await page.keyboard.type("nonsense");
  await page.keyboard.press("Enter");
  await page.getByText("“nonsense” is no filter").waitFor();
  await page.getByRole("button", { name: "Clear filters" }).click();
  await page.getByText("no-such-resource").first().waitFor();
  expect(visit.faults).toEqual([]);
  await visit.close();
});

test("a gauge moves by itself, and a reset is asked for first", { timeout: 120_000 }, async () => {
  const resourceId = await makeResource("gauged", "echo");
  await console.call("PATCH", `${console.apiPath}/ai-resources/${resourceId}`, {
    enforceCapacity: true,
    capacity: [{ period: "day", requests: 10 }],
  });
  const visit = await console.open();
  const { page } = visit;
  await visit.go(`${home}/capacity`);
  await page.getByRole("button", { name: "Live", exact: true }).waitFor();
  const gauge = page.getByRole("region", { name: "Resource gauged" });
  await gauge.getByText("0 of 10 requests").waitFor();
  for (let count = 0; count < 9; count++) await (await send("gauged")).text();
  await gauge.getByText("9 of 10 requests").waitFor();
  await gauge.getByText("over 80 %").waitFor();
  await gauge.getByRole("button", { name: "Reset day of gauged" }).click();
  await page.getByText("9 requests and").waitFor();
  await page.getByRole("button", { name: "Reset counters" }).click();
  await gauge.getByText("0 of 10 requests").waitFor();
  expect(visit.faults).toEqual([]);
  await visit.close();
});

test("pools are made, ordered and saved by keyboard", { timeout: 120_000 }, async () => {
  await makeResource("pooled", "echo");
  const visit = await console.open();
  const { page } = visit;
  await visit.go(`${home}/prioritization`);
  await page.getByText("No pool yet").waitFor();
  await page.keyboard.press("n");
  await page.getByLabel("Name").first().fill("first");
  await page.getByRole("button", { name: "Add pool" }).press("Enter");
  await page.getByLabel("Name").last().fill("second");
  await page.getByLabel("Minimum (%)").last().fill("60");
  await page.getByLabel("Minimum (%)").first().fill("50");
  await page.getByText("All minimums together are 110 %").waitFor();
  await page.getByLabel("Minimum (%)").first().fill("30");
  await page.getByLabel("pooled").first().press("Space");
  await page.getByRole("button", { name: /^Move second: drag/ }).press("Alt+ArrowUp");
  await page.keyboard.press("Control+s");
  await page.getByText("The pools are saved").waitFor();
  const { definition } = await (await console.call("GET", `${console.apiPath}/pool-definition`))
    .json();
  expect(definition).toMatchObject([
    { name: "second", rank: 0, minReservation: 60, resources: [] },
    { name: "first", rank: 1, minReservation: 30 },
  ]);
  expect(definition[1].resources).toHaveLength(1);
  expect(await visit.audit()).toEqual([]);
  await visit.picture("journey-pools");
  expect(visit.faults).toEqual([]);
  await visit.close();
});

test("usage is grouped by key, read as a table and saved as CSV", {
  timeout: 120_000,
}, async () => {
  await makeResource("counted", "echo");
  await (await send("counted")).text();
  const visit = await console.open();
  const { page } = visit;
  await page.waitForTimeout(1_500);
  await visit.go(`${home}/usage?range=1h&resource=counted`);
  await page.getByLabel("Group by").selectOption("apiKeyId");
  await page.waitForURL(/by=apiKeyId/);
  await page.getByRole("region", { name: "Requests by group" }).getByText("journeys").waitFor();
  await page.getByRole("button", { name: "View as table" }).click();
  await page.getByRole("region", { name: "Requests per minute" }).getByRole("columnheader", {
    name: "journeys",
  }).waitFor();
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: "CSV" }).click(),
  ]);
  const csv = await readFile(await download.path(), "utf8");
  expect(csv.split("\r\n")[0]).toMatch(/^time \(.+\),apiKeyId,apiKeyId name,requestCount sum/);
  expect(csv).toContain("journeys");
  expect(visit.faults).toEqual([]);
  await visit.close();
});

test("prices are previewed and added, and re-rating shows first what it would change", {
  timeout: 120_000,
}, async () => {
  const visit = await console.open();
  const { page } = visit;
  await visit.go("/prices");
  await page.keyboard.press("n");
  await page.getByLabel("Prices").fill("[{");
  await page.getByRole("button", { name: "Preview the effect" }).click();
  await page.getByText(/JSON/).last().waitFor();
  await page.getByLabel("Prices").fill(
    "provider,model,inputUncached,output\necho,echo*,1000000,2000000",
  );
  await page.getByRole("button", { name: "Preview the effect" }).click();
  await page.getByText("The last 30 days by these prices").waitFor();
  await visit.picture("journey-prices");
  await page.getByRole("button", { name: "Add price list" }).click();
  await page.getByText("$1.00").waitFor();
  await page.getByRole("button", { name: "Re-rate requests" }).click();
  const rate = page.getByRole("button", { name: /^Re-rate( |$)/ }).last();
  expect(await rate.getAttribute("aria-disabled")).toBe("true");
  await page.getByRole("button", { name: "Dry run", exact: true }).click();
  await page.getByText(/before, .* after/).waitFor();
  expect(await visit.audit()).toEqual([]);
  expect(visit.faults).toEqual([]);
  await visit.close();
});
