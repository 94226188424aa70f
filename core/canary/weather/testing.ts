import { readFileSync } from "node:fs";
import { join } from "node:path";
import { failToStart } from "../../command/testing.ts";
import { filesOf, keepFolder } from "../collect/testing.ts";
import { random } from "../secrets/testing.ts";
import { inTurns, type Stage, until } from "../stage/testing.ts";

/** Takes the stores away, one after the other, and asks meanwhile. */
export async function outages(stage: Stage, connections: readonly string[]): Promise<void> {
  const { given, planted, firstKey, call, environmentPath, postgres, store, folder } = stage;
  const ask = async () => {
    for (const model of ["plain/error-400", "awkward/stream-error", "demo"]) {
      const messages = [{ role: "user", content: planted }];
      const body = { model, messages, vmx: { timeoutMs: 1_500 } };
      await call("/v1/chat/completions", { body, bearer: firstKey }).catch(() => {});
    }
    await call(`${environmentPath}/ai-connections/${connections[0]}`, {
      method: "PATCH",
      body: { config: { apiKey: given["refused provider key"] } },
    }).catch(() => {});
    const body = { username: "canary", password: given["mistyped password"] };
    await call("/api/v1/auth/login", { body, bearer: null }).catch(() => {});
    for (const path of ["/readyz", "/api/v1/system", `${environmentPath}/ai-connections`]) {
      await call(path).catch(() => {});
    }
  };
  const password = JSON.stringify(given["Redis password"]);
  await store.command("CONFIG SET requirepass another-password-for-a-while");
  await store.command("CLIENT KILL USER default");
  await ask();
  await store.command(`CONFIG SET requirepass ${password}`);

  await postgres.stop();
  await ask();
  // What waits for the database lies in the data folder.
  const spool = join(folder, "data/spool");
  await until(() => filesOf(spool).some((file) => readFileSync(file).includes(planted)));
  keepFolder(stage, "data folder", join(folder, "data"), "without the database");
  await postgres.start();
  await until(async () => (await call(`${environmentPath}/audit`)).status === 200);
}

/** Starts that go wrong because a secret is wrong. */
export async function failedStarts(stage: Stage): Promise<void> {
  const { given, keep, postgres, store, folder, environment } = stage;
  const full = environment(0);
  const wrong: Record<string, string>[] = [
    { DATABASE_URL: postgres.url.replace("postgres://vmx", "postgres://stranger") },
    { DATABASE_URL: postgres.url.replace("postgres://", "postgre://") },
    { DATABASE_URL: `${postgres.url.replace("/canary", "/canary?sslmode=require")}` },
    { DATABASE_URL: postgres.url.replace(/@[^@]*$/, `@${"n".repeat(64)}.invalid/canary`) },
    { DATABASE_URL: postgres.url.replace(/@([^@]*)$/, "-mistyped@$1") },
    { DATABASE_URL: postgres.url.replace("postgres://vmx:", "postgres://vmx:12/") },
    { DATABASE_URL: `${postgres.url}-of-nobody` },
    { VMX_REDIS_PREFIX: given["Redis password"] },
    { REDIS_URL: store.url.replace("redis://", "http://") },
    { REDIS_URL: store.url.replace(/:\d+\/0$/, ":1/0") },
    { VMX_ENCRYPTION_KEYS: `1:${given["next master key"]},2:${given["master key"]}` },
    { VMX_ENCRYPTION_KEYS: `2:${given["next master key"]}` },
    { VMX_ENCRYPTION_KEYS: `0:${given["master key"]}` },
    { VMX_ENCRYPTION_KEYS: `1:${given["master key"]},1:${given["next master key"]}` },
    { VMX_ADMIN_TOKEN: `${given["administrator's token"]} with blanks` },
    { OIDC_FEDERATED_ISSUER: `no url ${given["OIDC client secret"]}` },
  ];
  await inTurns(
    wrong.map((variables) => async () => {
      const names = Object.keys(variables).join();
      const settings = { ...full, ...variables, DATA_DIR: join(folder, random(4)) };
      // Some start all the same, and complain; a moment is enough for that.
      const { output } = await failToStart(settings).catch(({ message }) => ({ output: message }));
      keep("log", `a start with a wrong ${names}`, output);
    }),
    2,
  );
}
