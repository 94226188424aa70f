import { expect, test } from "vitest";
import { createRedact } from "./gateway/redact.ts";
import { createLog } from "./log.ts";
import { tlsWarnings } from "./tls-warnings.ts";

function written(format: "json" | "text", work: (log: ReturnType<typeof createLog>) => void) {
  const lines: string[] = [];
  const redact = createRedact([], () => ["the-known-secret"]);
  work(createLog({ level: "info", format, write: (line) => lines.push(line), redact }));
  return lines.join("");
}

const evil = 'a\n12:00:00 error: forged\r\x1b[31m\u202e\u2028\u0085"end';

test("text from outside cannot forge a line, colour one or turn it round", () => {
  for (const format of ["json", "text"] as const) {
    const text = written(format, (log) => {
      log.info(`Name ${evil}`, { name: "x", field: evil });
      log.warn("Failed", { error: new Error(evil) });
    });
    const lines = text.trimEnd().split("\n");
    expect(lines.every((line) => !line.startsWith("12:00:00"))).toBe(true);
    // deno-lint-ignore no-control-regex
    expect(text).not.toMatch(/[\x1b\r\u202e\u2028\u0085]/);
    if (format === "json") {
      expect(lines).toHaveLength(2);
      expect(JSON.parse(lines[0]!).message).toBe(`Name ${evil}`);
    }
  }
});

test("credentials in log lines are taken out, by form, by header and by value", () => {
  const secrets = [
    "vmx_pat_0123456789abcdef",
    "vmx_sk_0123456789abcdef",
    "Basic YWRtaW46c2VjcmV0",
    "cookie-value-1",
    "header-key-1",
    "pass-in-url",
    "query-key-1",
    "the-known-secret",
  ];
  for (const format of ["json", "text"] as const) {
    const text = written(
      format,
      (log) =>
        log.info(`token ${secrets[0]} and ${secrets[1]} and ${secrets[7]}`, {
          headers: {
            authorization: secrets[2],
            cookie: `vmx_session=${secrets[3]}; other=1`,
            "x-api-key": secrets[4],
          },
          raw: `X-Api-Key: ${secrets[4]}`,
          url: `https://user:${secrets[5]}@host.example/v1?key=${secrets[6]}`,
        }),
    );
    for (const secret of secrets) expect(text, secret).not.toContain(secret);
    expect(text).toContain("host.example");
  }
});

test("of what caused an error only errors are written, never the body of an answer", () => {
  const body = { error: "invalid_client", error_description: "you sent secret-of-a-client" };
  const inner = new Error("the answer is no token", { cause: body });
  for (const format of ["json", "text"] as const) {
    const text = written(format, (log) => {
      log.warn("Refused a login", { error: new Error("No login", { cause: inner }) });
    });
    expect(text).toContain("the answer is no token");
    expect(text).not.toContain("secret-of-a-client");
  }
});

test("a database URL that gives verification up is named, its password is not", () => {
  const url = (query: string) => `postgres://u:hidden@db.example/vmx?${query}`;
  expect(tlsWarnings({ DATABASE_URL: url("sslmode=no-verify") }, {})).toEqual([
    "DATABASE_URL holds sslmode=no-verify: the database's certificate is not verified",
  ]);
  expect(tlsWarnings({ DATABASE_URL: url("uselibpqcompat=true&sslmode=require") }, {}))
    .toHaveLength(1);
  expect(tlsWarnings({ DATABASE_URL: url("sslmode=verify-full"), OTHER: undefined }, {})).toEqual(
    [],
  );
  expect(tlsWarnings({}, { NODE_TLS_REJECT_UNAUTHORIZED: "0" })).toHaveLength(1);
});
