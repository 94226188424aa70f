import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { temporaryFolder } from "./command/testing.ts";
import { loadConfig } from "./config.ts";
import { installationRoot } from "./host/discover.ts";
import { createKernel } from "./kernel.ts";
import { ApiKey } from "./store/entities/index.ts";

test(
  "completions send no statement to the database, and key use is written behind them",
  async () => {
    const folder = temporaryFolder();
    const environment = { DATA_DIR: folder.path, PORT: "0", VMX_SNAPSHOT_POLL_MS: "60000" };
    const kernel = await createKernel(loadConfig(environment, installationRoot()), environment);
    try {
      const key = kernel.firstRun!.apiKey.value;
      const ask = (stream: boolean) =>
        fetch(`${kernel.url}/v1/chat/completions`, {
          method: "POST",
          headers: { authorization: `Bearer ${key}` },
          body: JSON.stringify({
            model: "demo",
            stream,
            messages: [{ role: "user", content: "hi" }],
          }),
        }).then((response) => response.text());
      await delay(200);
      const before = kernel.database.queryCount();
      for (let round = 0; round < 50; round++) await Promise.all([ask(true), ask(false)]);
      await fetch(`${kernel.url}/v1/chat/completions`, { method: "POST", body: "{}" });
      await fetch(`${kernel.url}/v1/models`, { headers: { "x-api-key": key } });
      expect(kernel.database.queryCount()).toBe(before);

      const { database } = kernel;
      await kernel.flush();
      const [row] = await database.em().find(ApiKey, { name: "default" });
      expect(Date.now() - row!.lastUsedAt!.getTime()).toBeLessThan(60_000);
    } finally {
      await kernel.stop();
      folder.remove();
    }
  },
  30_000,
);

test("two kernels live side by side in one process", async () => {
  const folders = [temporaryFolder(), temporaryFolder()];
  const kernels = await Promise.all(folders.map(({ path }) => {
    const environment = { DATA_DIR: path, PORT: "0" };
    return createKernel(loadConfig(environment, installationRoot()), environment);
  }));
  const keys = kernels.map(({ firstRun }) => firstRun!.apiKey.value);
  const status = async (url: string, key: string) =>
    (await fetch(`${url}/v1/models`, { headers: { "x-api-key": key } })).status;
  expect(await status(kernels[0]!.url, keys[0]!)).toBe(200);
  expect(await status(kernels[1]!.url, keys[0]!)).toBe(401);
  expect(await status(kernels[1]!.url, keys[1]!)).toBe(200);
  await Promise.all(kernels.map((kernel) => kernel.stop()));
  for (const folder of folders) folder.remove();
}, 30_000);
