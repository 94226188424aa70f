import { random } from "../secrets/testing.ts";
import { providerMoods } from "../services/testing.ts";
import { type Call, inTurns, type Stage, until } from "../stage/testing.ts";

/** Calls models in every dialect, of providers in every mood. */
export async function callModels(stage: Stage): Promise<{ connections: string[] }> {
  const { given, planted, call, done, environmentPath, provider, postgres, store } = stage;
  const path = `${environmentPath}/ai-connections`;
  const headers = { "x-canary": given["provider header"] };
  const baseUrl = provider.url;
  const configs: [string, string, unknown][] = [
    ["plain", "openai-compatible", { baseUrl, apiKey: given["provider key"], headers }],
    ["awkward", "openai-compatible", { baseUrl, apiKey: given["awkward provider key"] }],
    ["vendor", "openai", { baseUrl, apiKey: given["provider key"], headers }],
    ["messages", "anthropic", { baseUrl, apiKey: given["awkward provider key"] }],
    ["content", "gemini", { baseUrl, apiKey: given["awkward provider key"], headers }],
    ["converse", "aws-bedrock", {
      region: "us-east-1",
      baseUrl,
      accessKeyId: given["AWS access key"],
      secretAccessKey: given["AWS secret"],
      sessionToken: given["AWS session token"],
    }],
  ];
  const connections: string[] = [];
  for (const [name, kind, config] of configs) {
    const body = { name, provider: kind, config };
    const { connectionId } = await done(path, { body });
    connections.push(connectionId);
    await call(`${path}/${connectionId}/test`, { body: { model: "error-400" } });
    await call(`${path}/${connectionId}/models`);
    await call(`${path}/${connectionId}`, {
      method: "PATCH",
      body: { config: { baseUrl: "http://127.0.0.1:1/v1" } },
    });
  }
  // The second time the answer is a stored one, which shows nothing.
  const twice = { body: { name: "canary" }, headers: { "idempotency-key": random(8) } };
  const app = await done(`${environmentPath}/api-keys`, twice);
  await done(`${environmentPath}/api-keys`, twice);
  const rolled = await done(`${environmentPath}/api-keys/${app.apiKeyId}/roll`, { body: {} });
  // Its processes learn of a key within their next poll.
  await until(async () => (await call("/v1/models", { bearer: rolled.value })).status === 200);
  await call("/v1/models", { bearer: app.value });

  const key = rolled.value as string;
  const ask = async (model: string, options: Partial<Call> & { stream?: boolean } = {}) => {
    const { stream = false, ...rest } = options;
    const body = { model, stream, max_tokens: 9, messages: [{ role: "user", content: "hi" }] };
    const vmx = { timeoutMs: 1_500, metadata: { from: "canary" } };
    return await call("/v1/chat/completions", { body: { ...body, vmx }, bearer: key, ...rest })
      .catch(() => undefined);
  };
  const asked = configs.flatMap(([name]) =>
    providerMoods.flatMap((mood) => [
      () => ask(`${name}/${mood}`),
      () => ask(`${name}/${mood}`, { stream: true }),
    ])
  );
  const own = { "x-vmx-timeout-ms": "1500" };
  for (const mood of ["error-400", "error-401", "error-code", "error-deep", "not-http"]) {
    for (const [name] of configs) {
      const model = `${name}/${mood}`;
      const content = [{ role: "user", content: "hi" }];
      asked.push(
        () =>
          call("/v1/messages", {
            bearer: null,
            headers: { ...own, "x-api-key": key },
            body: { model, max_tokens: 9, messages: content },
          }),
        () => call("/v1/responses", { bearer: key, headers: own, body: { model, input: "hi" } }),
        () => call("/v1/embeddings", { bearer: key, headers: own, body: { model, input: "hi" } }),
        () =>
          call(`/v1beta/models/${encodeURIComponent(model)}:generateContent?key=${key}`, {
            bearer: null,
            headers: own,
            body: { contents: [{ role: "user", parts: [{ text: "hi" }] }] },
          }),
        () =>
          call(`/model/${encodeURIComponent(model)}/converse`, {
            bearer: key,
            headers: own,
            body: { messages: [{ role: "user", content: [{ text: "hi" }] }] },
          }),
      );
    }
  }
  // A caller's own credential in wrong places, and texts that are no JSON.
  const secret = given["mistyped key"];
  asked.push(
    () => call("/v1/chat/completions", { bearer: key, body: `{"api_key":"${secret}` }),
    () => call("/v1/chat/completions", { bearer: secret, body: { model: "plain/x" } }),
    () => call(`/v1/models?key=${secret}`, { bearer: null }),
    () => call("/v1/models", { bearer: null, headers: { "x-goog-api-key": secret } }),
    () =>
      ask("plain/error-400", { headers: { "x-api-key": secret, cookie: `vmx_session=${secret}` } }),
  );
  // What is planted goes where requests go: through the answer, the record, the provider and the telemetry.
  const words = `${planted} ${Array.from({ length: 150 }, () => random(8)).join(" ")}`;
  const message = [{ role: "user", content: words }];
  asked.push(
    () =>
      call("/v1/chat/completions", {
        bearer: key,
        body: { model: `echo/${planted}`, messages: message },
      }),
    () => call("/v1/chat/completions", { bearer: key, body: { model: "demo", messages: message } }),
    () =>
      call("/v1/chat/completions", {
        bearer: key,
        body: { model: "plain/error-400", messages: message },
      }),
  );
  await inTurns(asked, 12);
  await done("/api/v1/workspaces", { body: { name: "planted", description: planted } });
  await postgres.query(`select '${planted}'`);
  await store.command(`SET planted ${planted}`);
  return { connections };
}
