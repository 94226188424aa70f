import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type GatewayProcess, startProcess, temporaryFolder } from "../core/command/testing.ts";
import { startTestCollector, type TestCollector } from "./collector-testing.ts";

/* A gateway as a process of its own, a collector, and Debian's Prometheus. */

const adminToken = "an-admin-token-for-the-telemetry-0123";
const apiKey = "an-api-key-for-the-telemetry-01234567";
const folder = temporaryFolder();
const observability = fileURLToPath(new URL("observability/", import.meta.url));
/** Whoever waited for an export that hangs would wait that long. */
const exportTimeoutMs = 20_000;
const patience = { timeout: 60_000, interval: 100 };
let collector: TestCollector;
let gateway: GatewayProcess;
let metricsPort: number;

beforeAll(async () => {
  [collector, metricsPort] = [await startTestCollector(), await freePort()];
  gateway = await startProcess({
    DATA_DIR: folder.path,
    VMX_ADMIN_TOKEN: adminToken,
    VMX_BOOTSTRAP_API_KEY: apiKey,
    VMX_METRICS_ENABLED: "true",
    VMX_METRICS_PORT: String(metricsPort),
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_EXPORTER_OTLP_HEADERS: "x-collector-key=telemetry",
    OTEL_SERVICE_NAME: "gateway-under-test",
    OTEL_RESOURCE_ATTRIBUTES: "deployment.environment.name=test%20bench",
    OTEL_METRIC_EXPORT_INTERVAL: "200",
    OTEL_METRIC_EXPORT_TIMEOUT: "200",
    OTEL_BSP_SCHEDULE_DELAY: "50",
    OTEL_BSP_EXPORT_TIMEOUT: String(exportTimeoutMs),
    OTEL_BSP_MAX_QUEUE_SIZE: "40",
    OTEL_BSP_MAX_EXPORT_BATCH_SIZE: "20",
  });
}, 60_000);

afterAll(async () => {
  await gateway?.end();
  await collector?.stop();
  folder.remove();
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const ask = (body: object = {}) =>
  fetch(`${gateway.ready.baseUrl}/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${apiKey}` },
    body: JSON.stringify({
      model: "demo",
      messages: [{ role: "user", content: "a very private question" }],
      ...body,
    }),
  });
const metrics = async () => await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
const valueOf = (text: string, name: string) =>
  Number(new RegExp(`^${name}(?:\\{[^\\n]*\\})? (\\S+)$`, "m").exec(text)?.[1]);

test("a collector set up by variables alone receives one client span per leg, decoded from protobuf", async () => {
  const response = await ask({ max_tokens: 30 });
  expect(response.status).toBe(200);
  const requestId = response.headers.get("x-vmx-request-id");
  const mine = () =>
    collector.spans.filter(({ attributes }) => attributes["vmx.request.id"] === requestId)
      .sort((one, other) => one.kind - other.kind);
  await expect.poll(() => mine().length, patience).toBeGreaterThan(1);
  const [server, leg, ...more] = mine();
  expect(more).toEqual([]);
  expect(server).toMatchObject({ kind: 2, name: "POST /v1/chat/completions", parentSpanId: "" });
  expect(server!.resource).toMatchObject({
    "service.name": "gateway-under-test",
    "deployment.environment.name": "test bench",
  });
  expect(leg).toMatchObject({
    kind: 3,
    name: "chat echo",
    traceId: server!.traceId,
    parentSpanId: server!.spanId,
    attributes: {
      "gen_ai.operation.name": "chat",
      "gen_ai.provider.name": "echo",
      "gen_ai.request.max_tokens": 30,
      "gen_ai.response.finish_reasons": ["stop"],
    },
  });
  expect(collector.headers.at(-1)).toMatchObject({ "x-collector-key": "telemetry" });
});

test("metrics reach the collector and Prometheus with the same figures, and neither holds a secret", async () => {
  await expect.poll(() => collector.metrics.has("vmx.gateway.requests"), patience).toBe(true);
  const [point] = collector.metrics.get("vmx.gateway.requests") as {
    asDouble: number;
    attributes: object;
  }[];
  expect(point).toMatchObject({ attributes: { outcome: "ok", workspace: "default" } });
  const text = await metrics();
  expect(valueOf(text, "vmx_gateway_requests_total")).toBe(point!.asDouble);
  for (const secret of ["private", apiKey, adminToken]) {
    expect(text).not.toContain(secret);
    expect(collector.raw.join()).not.toContain(secret);
  }
  // Lint of the text by Prometheus' own tool.
  execFileSync("promtool", ["check", "metrics"], { input: text, stdio: ["pipe", "pipe", "pipe"] });
});

test("a collector that refuses or hangs holds no request up, and what it did not take is counted", async () => {
  const dropped = async () => valueOf(await metrics(), "vmx_sink_dropped_total") || 0;
  for (const behave of ["refuse", "hang"] as const) {
    const before = await dropped();
    collector.behave = behave;
    for (let index = 0; index < 60; index++) {
      const startedAt = performance.now();
      expect((await ask()).status).toBe(200);
      expect(performance.now() - startedAt).toBeLessThan(exportTimeoutMs / 2);
    }
    await expect.poll(dropped, patience).toBeGreaterThan(before);
  }
  collector.behave = "take";
  collector.breakOff();
  collector.spans.length = 0;
  await expect.poll(async () => {
    await ask();
    return collector.spans.length;
  }, patience).toBeGreaterThan(0);
});

test(
  "Prometheus scrapes a running gateway, loads the alerts, and knows every metric the dashboard names",
  async () => {
    await (await ask({ stream: true })).text();
    const place = mkdtempSync(join(tmpdir(), "vmx-prometheus-"));
    const port = await freePort();
    writeFileSync(
      join(place, "prometheus.yml"),
      `global: { scrape_interval: 200ms, evaluation_interval: 200ms }
rule_files: [${join(observability, "alerts.yaml")}]
scrape_configs:
  - job_name: gateway
    static_configs: [{ targets: ["127.0.0.1:${metricsPort}"] }]
`,
    );
    execFileSync("promtool", ["check", "rules", join(observability, "alerts.yaml")]);
    const prometheus = spawn("prometheus", [
      `--config.file=${join(place, "prometheus.yml")}`,
      `--storage.tsdb.path=${join(place, "data")}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ], { stdio: "ignore" });
    try {
      const query = async (path: string) => {
        const response = await fetch(`http://127.0.0.1:${port}/api/v1/${path}`).catch(() =>
          undefined
        );
        return response?.ok ? (await response.json()).data : undefined;
      };
      const expression = encodeURIComponent("vmx_gateway_requests_total > 0");
      await expect.poll(async () => (await query(`query?query=${expression}`))?.result.length, {
        ...patience,
      }).toBeGreaterThan(0);
      const { groups } = await query("rules");
      await expect.poll(
        async () =>
          (await query("rules")).groups[0].rules.every(({ health }: { health: string }) =>
            health === "ok"
          ),
        patience,
      ).toBe(true);
      expect(groups[0].rules.length).toBeGreaterThan(10);
      const { panels } = JSON.parse(readFileSync(join(observability, "dashboard.json"), "utf8"));
      const filled = (text: string) =>
        text.replaceAll("$__rate_interval", "1m").replaceAll(/\$\w+/g, ".*");
      for (const { targets = [] } of panels as { targets?: { expr: string }[] }[]) {
        for (const { expr } of targets) {
          const answer = await query(`query?query=${encodeURIComponent(filled(expr))}`);
          expect(answer, expr).toHaveProperty("result");
        }
      }
    } finally {
      prometheus.kill();
      await new Promise((resolve) => prometheus.once("exit", resolve));
      rmSync(place, { recursive: true, force: true });
    }
  },
  120_000,
);
