import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { contributionPoints, type Log } from "../contract/index.ts";
import { compileConfiguration } from "./configuration-schema.ts";
import { createPluginHost } from "./create-plugin-host.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

test("every built-in plugin has a valid manifest and provides what it announces", async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "vmx-builtin-"));
  const lines: string[] = [];
  const log: Log = {
    debug: () => {},
    info: () => {},
    warn: () => {},
    error: (line) => void lines.push(line),
  };
  const host = await createPluginHost({
    root,
    coreVersion: "0.1.0",
    // Plugins whose server is away work later; those that are told of none cannot.
    environment: {
      REDIS_URL: "redis://127.0.0.1:1",
      AWS_KMS_KEY_ID: "alias/nobody-asks",
      AWS_TIMESTREAM_DATABASE_NAME: "nobody-writes",
      QUESTDB_URL: "http://127.0.0.1:1",
      OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1",
      OIDC_FEDERATED_ISSUER: "http://127.0.0.1:1",
      OIDC_FEDERATED_CLIENT_ID: "nobody",
      OIDC_FEDERATED_CLIENT_SECRET: "nobody-knows",
    },
    log,
    fetch,
    http: { send: () => Promise.reject(new Error("no network")) },
    clock: { now: () => 0, monotonic: () => 0 },
    signal: new AbortController().signal,
    dataDir,
  });
  try {
    const contributions = contributionPoints.flatMap((point) => host.contributions(point));
    for (const { point, id } of contributions) await host.get(point, id);
    expect(lines).toEqual([]);
    expect(host.plugins().filter(({ outcome }) => outcome.state !== "active")).toEqual([]);
    expect(host.plugins().every(({ source }) => source === "builtin")).toBe(true);
    expect(contributions.map(({ id }) => id)).toContain("echo");
    const logos = host.contributions("providers").map(({ logoUrl }) => logoUrl);
    for (const logo of logos) expect(logo).toMatch(/^data:image\/svg\+xml;base64,/);
  } finally {
    await host.dispose();
    await rm(dataDir, { recursive: true });
  }
});

test("every provider's configuration schema compiles and titles its members", async () => {
  const host = await createPluginHost({
    root,
    coreVersion: "0.1.0",
    environment: {},
    log: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
    fetch,
    http: { send: () => Promise.reject(new Error("no network")) },
    clock: { now: () => 0, monotonic: () => 0 },
    signal: new AbortController().signal,
    dataDir: root,
  });
  for (const { id, configuration } of host.contributions("providers")) {
    expect(configuration, id).toBeDefined();
    expect(compileConfiguration(configuration!).check(null)).not.toEqual([]);
    const members = Object.entries(configuration!.properties as Record<string, object>);
    expect(members.filter(([, member]) => !("title" in member)), id).toEqual([]);
  }
});
