import { Buffer } from "node:buffer";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Canary } from "../forms.ts";
import type { RecordedAnswer } from "../recording-proxy.ts";
import type { Kind, Stage } from "../stage/testing.ts";

/** Ends everything and keeps what was collected meanwhile. */
export async function collect(stage: Stage): Promise<Canary[]> {
  const { given, keep, provider, postgres, store, proxy, folder, collector } = stage;
  const revealed: Canary[] = [];
  keep("log", "the gateway's output", stage.output());
  for (const answer of proxy.answers) {
    const model = /^x-vmx-model: (.*)$/m.exec(answer.head)?.[1] ?? "";
    const place = `${answer.method} ${answer.path} ${answer.status} ${model}`;
    const allowed = reveal(answer, revealed);
    keep("answers", `head of ${place}`, answer.head, allowed);
    keep("answers", `body of ${place}`, answer.body, allowed);
  }
  for (const { path, headers, body } of collector.received) {
    const own = `Bearer ${given["collector header"]}`;
    const others = Object.entries(headers).filter(([, value]) => value !== own);
    keep("spans and metrics", path, JSON.stringify(others));
    keep("spans and metrics", path, body);
  }
  for (const { path, headers, body } of provider.received) {
    keep("provider's requests", path, `${path}\n${JSON.stringify(withoutOwn(stage, headers))}`);
    keep("provider's requests", path, body);
  }
  keep("shared state", "commands", Buffer.concat(store.monitored));
  await store.command("SAVE");
  keep("shared state", "the file", readFileSync(store.file));
  await postgres.query("checkpoint");
  keep("database dump", "pg_dumpall", await postgres.dump());
  await postgres.stop();
  keepFolder(stage, "database files", join(postgres.folder, "data"), "at the end");
  // A name is looked up, whatever it is.
  const names = [given["password typed as a name"]];
  keep("database log", "log", readFileSync(join(postgres.folder, "log")), names);
  keepFolder(stage, "data folder", join(folder, "data"), "at the end");
  return revealed;
}

/** Headers of a provider without those that carry its own credentials. */
function withoutOwn(
  { given }: Stage,
  headers: Readonly<Record<string, string>>,
): Record<string, string> {
  const own = new Set([
    ...["provider key", "awkward provider key", "provider header"] as const,
    ...["AWS session token", "refused provider key", "first-run provider key"] as const,
  ].map((name) => given[name]));
  return Object.fromEntries(
    Object.entries(headers).filter(([name, value]) => {
      if (name === "authorization" && value.startsWith("AWS4-HMAC-SHA256")) {
        return !value.includes(`Credential=${given["AWS access key"]}/`);
      }
      return !own.has(value.replace(/^Bearer /, ""));
    }),
  );
}

/** Keeps every file of a folder. */
export function keepFolder({ keep }: Stage, kind: Kind, path: string, when: string): void {
  for (const file of filesOf(path)) {
    keep(kind, `${file.slice(path.length)} ${when}`, readFileSync(file));
  }
}

/** Every file below a folder. */
export function filesOf(path: string): string[] {
  const entries = readdirSync(path, { withFileTypes: true, recursive: true });
  return entries.filter((entry) => entry.isFile()).map((entry) =>
    join(entry.parentPath, entry.name)
  );
}

/** Secrets an answer shows for the one time: they are searched for everywhere else. */
function reveal({ path, head, body }: RecordedAnswer, revealed: Canary[]): string[] {
  const isReveal = /\/(api-keys|tokens)(\/[^/]+(\/roll)?)?$/.test(path.split("?")[0]!);
  const text = body.toString("utf8");
  const found = [
    ...isReveal ? text.matchAll(/"(?:value|token)":"vmx_(?:sk|pat)_([\w-]+)"/g) : [],
    ...head.matchAll(/^set-cookie: vmx_session=([\w-]{20,})/gim),
    ...head.matchAll(/^set-cookie: (?:__Host-)?vmx_oidc=([\w-]{20,})/gim),
  ].map((match) => match[1]!);
  for (const value of found) {
    if (revealed.some((one) => one.value === value)) continue;
    revealed.push({ name: `shown by ${path}: ${value.slice(0, 4)}`, value });
  }
  return found;
}
