import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { inTurns, type Stage } from "../stage/testing.ts";

/** Reads whatever can be read. */
export async function readEverything(stage: Stage): Promise<void> {
  const { call, keep, environmentPath } = stage;
  const audit = `${environmentPath}/audit`;
  const dateRange = {
    start: new Date(Date.now() - 3_600_000).toISOString(),
    end: new Date(Date.now() + 60_000).toISOString(),
  };
  const usage = {
    filter: { dateRange },
    agg: { requestCount: "sum" },
    dimensions: ["model", "connectionId"],
  };
  const paths = [
    ...["/readyz", "/healthz", "/api/v1/system", "/api/v1/plugins", "/api/v1/activity?limit=200"],
    ...["/api/v1/users", "/api/v1/me/tokens", "/api/v1/roles", "/api/v1/ai-providers"],
    ...["/api/v1/auth/options", "/metrics", "/api/v1/openapi.json", "/api/docs", "/"],
    ...["ai-connections", "ai-resources", "api-keys", "activity?limit=200", "capacity"].map((
      name,
    ) => `${environmentPath}/${name}`),
    `${audit}/metadata-values?key=from`,
  ];
  for (const path of paths) await call(path);
  for (const format of ["jsonl", "csv"]) {
    keep("exports", `audit as ${format}`, (await call(`${audit}/export?format=${format}`)).text);
  }
  keep("exports", "usage", (await call(`${environmentPath}/usage/export`, { body: usage })).text);
  let cursor: string | undefined;
  const requests: string[] = [];
  do {
    const page = await call(`${audit}?limit=100${cursor ? `&cursor=${cursor}` : ""}`);
    if (page.status !== 200) return;
    keep("audit", "the list", page.text);
    const { data, nextCursor } = JSON.parse(page.text);
    requests.push(...data.map(({ requestId }: { requestId: string }) => requestId));
    cursor = nextCursor ?? undefined;
  } while (cursor);
  await inTurns(
    requests.map((id) => async () => {
      keep("audit", `the record ${id}`, (await call(`${audit}/${id}`)).text);
    }),
    8,
  );
}

/** Runs commands of the command line. */
export async function runCommands(stage: Stage): Promise<void> {
  const { given, keep, proxy, folder, run, environment } = stage;
  const variables = {
    ...environment(0),
    VMX_BASE_URL: proxy.url,
    VMX_TOKEN: given["administrator's token"],
    XDG_CONFIG_HOME: join(folder, "config"),
  };
  const entry = fileURLToPath(new URL("../../main.ts", import.meta.url));
  const calls = [
    ["doctor", "-o", "json"],
    ["get", "workspaces", "-o", "json"],
    ["get", "connections", "-o", "yaml"],
    ["describe", "connection", "plain"],
    ["get", "keys", "-o", "json"],
    ["create", "connection", "typed", "--provider", "groq", "--secret-from-env", "apiKey=TYPED"],
    ["login", proxy.url, "--username", "canary", "--password-from-env", "TYPED"],
  ];
  await inTurns(
    calls.map((args) => async () => {
      const { out, talk } = await run([entry, ...args], {
        ...variables,
        TYPED: given["refused provider key"],
      });
      keep("command line", `vmx ${args.join(" ")}`, out + talk);
    }),
    2,
  );
}
