import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { dryRun } from "./dry-run.ts";
import {
  createSlot,
  type ScriptedUpstream,
  startScriptedUpstream,
  startTestGateway,
  type TestGateway,
} from "./testing.ts";

/* What can be known of media without calling anybody, the dry run tells as the leg would. */

let gateway: TestGateway;
let upstream: ScriptedUpstream;

/** Legs that take bytes only, and one that fetches by itself. */
const legs = {
  "bedrock-converse": "aws-bedrock",
  "gemini-generate-content": "gemini",
  "anthropic-messages": "anthropic",
  "openai-responses": "openai-compatible",
} as const;
type Leg = keyof typeof legs;

beforeAll(async () => {
  [gateway, upstream] = await Promise.all([
    startTestGateway({}, undefined, { privateRanges: "deny", allow: ["127.0.0.1"] }),
    startScriptedUpstream(),
  ]);
  upstream.answer = (_request, response) => {
    response.writeHead(418, { "content-type": "application/json" }).end("{}");
  };
  for (const [leg, provider] of Object.entries(legs)) {
    const { baseUrl, apiKey } = upstream.config;
    const config = provider === "aws-bedrock"
      ? { baseUrl, region: "us-east-1", accessKeyId: apiKey, secretAccessKey: apiKey }
      : provider === "openai-compatible"
      ? { baseUrl, apiKey, dialects: [leg] }
      : { baseUrl, apiKey };
    const { connectionId } = gateway.snapshot.setConnection(leg, provider, { config });
    gateway.snapshot.setResource(leg, createSlot({ connectionId, provider, model: "up-1" }));
  }
});
afterAll(() => Promise.all([gateway.stop(), upstream.stop()]));

const endpoint = { dialect: "openai-chat", operation: "chat", name: "CHAT_COMPLETIONS" } as const;

function bodyOf(leg: Leg, url: string) {
  const content = [{ type: "image_url", image_url: { url, detail: "low" } }];
  const prediction = { type: "content", content: "x" };
  return { model: leg, messages: [{ role: "user", content }], prediction };
}

async function dry(leg: Leg, url: string) {
  const snapshot = gateway.services.snapshot();
  const [apiKey] = snapshot.apiKeysByHash.values();
  const environment = snapshot.environments.get(apiKey!.environmentId)!;
  const { chain } = await dryRun(
    {
      caller: { kind: "api-key", apiKey: apiKey!, environment },
      endpoint,
      body: bodyOf(leg, url),
      headers: {},
      sourceIp: "10.1.2.3",
      assumptions: {},
    },
    gateway.services,
  );
  return chain[0]!;
}

async function live(leg: Leg, url: string): Promise<{ code: string; message: string }> {
  const response = await fetch(`${gateway.baseURL}/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${gateway.apiKey}` },
    body: JSON.stringify(bodyOf(leg, url)),
  });
  return (await response.json()).error;
}

const refused: readonly (readonly [string, string, string])[] = [
  ["a private address", "http://10.0.0.5/image.png", "egress_refused"],
  ["a loopback name", "https://localhost/image.png", "egress_refused"],
  ["a metadata address", "http://169.254.169.254/latest/image.png", "egress_refused"],
  ["a port of mail", "https://example.org:25/image.png", "egress_refused"],
  ["a scheme nobody fetches", "ftp://example.org/image.png", "egress_refused"],
  ["a data URL without base64", "data:image/png,hello", "bad_image_url"],
  ["a data URL whose data is no base64", "data:image/png;base64,<svg>", "bad_image_url"],
  ["an empty data URL", "data:image/png;base64,", "bad_image_url"],
  ["no URL at all", "image.png", "bad_image_url"],
];

describe.each(["bedrock-converse", "gemini-generate-content", "anthropic-messages"] as const)(
  "an image for a %s leg",
  (leg) => {
    test.each(leg === "anthropic-messages" ? refused.filter(([, url]) => !isWeb(url)) : refused)(
      "at %s is refused in the dry run as it is in life",
      async (_name, url, code) => {
        const told = await dry(leg, url);
        const met = await live(leg, url);
        expect(told).toMatchObject({ allowed: false, refusal: { code, message: met.message } });
        expect(met.code).toBe(code);
      },
    );

    test("of a type the service does not take is refused in the dry run as in life", async () => {
      const url = "data:application/zip;base64,aGk=";
      const told = await dry(leg, url);
      const { code, message } = await live(leg, url);
      expect(told.refusal).toMatchObject({ code, message });
      expect(code).toBe("unsupported_content");
    });
  },
);

test.each(Object.keys(legs) as Leg[])(
  "nothing is foretold of an address that would have to be called, for a %s leg",
  async (leg) => {
    const before = upstream.requests.length;
    expect(await dry(leg, "https://example.org/image.png")).toMatchObject({ allowed: true });
    expect(upstream.requests).toHaveLength(before);
  },
);

test("a leg whose service fetches by itself is left to judge addresses", async () => {
  const told = await dry("openai-responses", "http://10.0.0.5/image.png");
  expect(told).toMatchObject({ allowed: true });
});

test.each(Object.keys(legs) as Leg[])(
  "the losses on the way to a %s leg are those the leg has on record",
  async (leg) => {
    const told = await dry(leg, "data:image/png;base64,aGk=");
    await live(leg, "data:image/png;base64,aGk=");
    expect(told.warnings).toEqual(gateway.outcomes.at(-1)!.exchange.legs[0]!.warnings);
    expect(told.warnings.map(({ path }) => path)).toContain("/prediction");
  },
);

/** The service fetches addresses of the web by itself. */
function isWeb(url: string): boolean {
  return /^https?:/.test(url);
}
