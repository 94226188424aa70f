import { findConsole } from "../http/console-files.ts";
import type { Kernel } from "../kernel.ts";
import { version } from "../version.ts";

/** What a start knows when it is done. */
export type Started = Pick<
  Kernel,
  "config" | "url" | "firstRun" | "databaseOutside" | "startedInMs"
>;

/** What the start prints: once everything a newcomer needs, later only where the gateway is. */
export function describeStart(started: Started): string {
  return started.config.log.startFormat === "json" ? asJson(started) : asText(started);
}

function asText({ config, url, firstRun, databaseOutside, startedInMs }: Started): string {
  const base = config.publicUrl ?? url;
  const lines = [
    `VM-X gateway ${version} is ready in ${(startedInMs / 1000).toFixed(1)} s`,
    "",
    row("Data", config.dataDir),
    ...(databaseOutside ? [row("Database", databaseOutside)] : []),
    ...(config.processes > 1 ? [row("Processes", String(config.processes))] : []),
    row("Console", findConsole() ? base : "not built: run `npm run build:console` first"),
    row("Base URL", `${base}/v1`),
  ];
  if (firstRun && !config.bootstrap.quiet) {
    const { administrator, apiKey } = firstRun;
    lines.push(
      row("Sign in as", administrator.username),
      ...(administrator.password
        ? [row("Password", `${administrator.password}  (shown once)`)]
        : []),
      row("API key", `${apiKey.value}  (shown once)`),
      "",
      "Try it:",
      "",
      curl(base, apiKey.value, firstRun.resource),
    );
  }
  return `${lines.join("\n")}\n\n`;
}

function asJson({ config, url, firstRun, databaseOutside, startedInMs }: Started): string {
  const base = config.publicUrl ?? url;
  const shown = firstRun && !config.bootstrap.quiet ? firstRun : undefined;
  return `${
    JSON.stringify({
      event: "ready",
      version,
      startedInMs: Math.round(startedInMs),
      dataDir: config.dataDir,
      ...(databaseOutside ? { databaseDir: databaseOutside } : {}),
      ...(config.processes > 1 ? { processes: config.processes } : {}),
      ...(findConsole() ? { consoleUrl: base } : {}),
      apiDocsUrl: `${base}/api/docs`,
      baseUrl: `${base}/v1`,
      ...(shown
        ? {
          username: shown.administrator.username,
          ...(shown.administrator.password ? { password: shown.administrator.password } : {}),
          apiKey: shown.apiKey.value,
          curl: curl(base, shown.apiKey.value, shown.resource),
        }
        : {}),
    })
  }\n`;
}

function row(name: string, value: string): string {
  return `  ${name.padEnd(11)} ${value}`;
}

/** A complete command that works when pasted. */
function curl(base: string, key: string, model: string): string {
  const body = JSON.stringify({
    model,
    messages: [{ role: "user", content: "Hello from VM-X" }],
  });
  return [
    `curl ${base}/v1/chat/completions \\`,
    `  -H "Authorization: Bearer ${key}" \\`,
    '  -H "Content-Type: application/json" \\',
    `  -d '${body}'`,
  ].join("\n");
}
