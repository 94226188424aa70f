import { Buffer } from "node:buffer";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A request a service was sent. */
export interface ReceivedRequest {
  readonly method: string;
  readonly path: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** A service that keeps what it is sent. */
export interface HostileService {
  readonly url: string;
  readonly port: number;
  readonly received: ReceivedRequest[];
  stop(): Promise<void>;
}

type Respond = (request: ReceivedRequest, response: ServerResponse) => void;

/** Starts a service on a free port. */
export async function startService(respond: Respond): Promise<HostileService> {
  const received: ReceivedRequest[] = [];
  const server = createServer((incoming: IncomingMessage, response) => {
    const pieces: Buffer[] = [];
    incoming.on("data", (piece: Buffer) => pieces.push(piece));
    incoming.on("end", () => {
      const { method = "", url: path = "" } = incoming;
      const headers = Object.fromEntries(
        Object.entries(incoming.headers).map(([name, value]) => [name, [value].flat().join(", ")]),
      );
      const request = { method, path, headers, body: Buffer.concat(pieces) };
      received.push(request);
      respond(request, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    received,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** What the hostile provider does, by a name that stands in the model's or in the path. */
export const providerMoods = [
  ...["error-400", "error-401", "error-403", "error-404", "error-409", "error-429", "error-500"],
  ...["error-529", "error-code", "error-plain", "error-html", "error-deep", "error-cut"],
  ...["redirect", "not-http", "not-json", "wrong-json", "long-head", "stream-error"],
  ...["stream-code", "stream-cut", "stream-odd", "hang"],
] as const;

/** A provider that repeats the credentials it is called with wherever an answer has room for a text. */
export const respondAsProvider: Respond = (request, response) => {
  const { headers, path, body } = request;
  const told = Object.entries(headers).map(([name, value]) => `${name}: ${value}`).join("\n");
  const key = headers["x-api-key"] ?? headers["x-goog-api-key"] ??
    headers["authorization"]?.replace(/^Bearer /, "") ?? "none";
  const asked = `${path} ${body.toString("utf8")}`;
  const mood = providerMoods.find((name) => asked.includes(name)) ?? "error-401";
  const json = (status: number, value: unknown) =>
    response.writeHead(status, { ...echoed, "content-type": "application/json" })
      .end(JSON.stringify(value));
  const text = headers["x-canary"] ?? key;
  const echoed = {
    "x-request-id": key,
    "request-id": key,
    "x-amzn-requestid": key,
    "x-ratelimit-limit-requests": key,
    "x-ratelimit-remaining-tokens": `1; ${key}`,
    "anthropic-ratelimit-requests-limit": key,
    "retry-after": key,
    "www-authenticate": `Bearer realm="${key}"`,
    "set-cookie": `session=${key}`,
    "server": key,
    "location": `/elsewhere?key=${encodeURIComponent(key)}`,
    "x-amzn-errortype": `ValidationException:${key}`,
  };
  const error = (code: string) => ({
    type: "error",
    error: {
      type: code,
      code,
      param: key,
      status: "INVALID_ARGUMENT",
      message: `Incorrect key provided: ${key}, with ${text}. You sent\n${told}`,
      details: [{ reason: key, nested: { headers } }],
    },
    message: `The key ${key} is not valid`,
    __type: "ValidationException",
  });
  const status = Number(/^error-(\d+)/.exec(mood)?.[1]);
  if (status) return json(status, error("invalid_request_error"));
  switch (mood) {
    case "error-code":
      return json(400, error(key));
    case "error-plain":
      return response.writeHead(400, echoed).end(`Rejected:\n${told}`);
    case "error-html":
      return response.writeHead(502, { ...echoed, "content-type": "text/html" })
        .end(`<h1>Bad gateway</h1><pre>${told}</pre>`);
    case "error-deep":
      return json(400, {
        error: { message: JSON.stringify({ message: JSON.stringify(headers) }) },
      });
    case "error-cut":
      response.writeHead(400, { "content-type": "application/json", "content-length": "9999" });
      response.write(`{"error":{"message":"${key}`);
      return void setTimeout(() => response.destroy(), 20);
    case "redirect":
      return response.writeHead(302, {
        location: `http://${key}@127.0.0.1:1/moved?key=${encodeURIComponent(key)}`,
      }).end();
    case "not-http":
      return void response.socket!.end(`HTTP/1.1 200 OK\r\nno header ${key}\r\n\r\n${told}`);
    case "not-json":
      return response.writeHead(200, { "content-type": "application/json" })
        .end(`{"answer": ${key}`);
    case "wrong-json":
      return json(200, { unexpected: key, headers });
    case "long-head":
      return response.writeHead(200, { "x-long": `${key} `.repeat(2_000) }).end();
    case "hang":
      return;
    default:
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(`data: ${JSON.stringify(chunk("well"))}\n\n`);
      if (mood === "stream-error") {
        response.end(`event: error\ndata: ${JSON.stringify(error("overloaded_error"))}\n\n`);
      } else if (mood === "stream-code") {
        // By then the content before it has been sent on.
        setTimeout(() => response.end(`data: ${JSON.stringify(error(key))}\n\n`), 200);
      } else if (mood === "stream-odd") {
        // What a provider says as the answer itself is handed on as it is, so no credential stands here.
        response.end('data: {"odd\n\nid: 1\n: comment\n\n');
      } else {
        response.write(`data: {"error":{"message":"${key}`);
        setTimeout(() => response.destroy(), 20);
      }
  }
};

const chunk = (content: string) => ({
  id: "chunk",
  object: "chat.completion.chunk",
  created: 1,
  model: "any",
  choices: [{ index: 0, delta: { role: "assistant", content }, finish_reason: null }],
});

/** An identity provider that repeats the client's credentials, in a way the code tells. */
export const respondAsIssuer: Respond = ({ path, headers, body }, response) => {
  const own = `http://${headers["host"]}`;
  const json = (status: number, value: unknown, more: Record<string, string> = {}) =>
    response.writeHead(status, { "content-type": "application/json", ...more })
      .end(JSON.stringify(value));
  if (path.startsWith("/.well-known")) {
    return json(200, {
      issuer: own,
      authorization_endpoint: `${own}/authorize`,
      token_endpoint: `${own}/token`,
      jwks_uri: `${own}/keys`,
      response_types_supported: ["code"],
      subject_types_supported: ["public"],
      id_token_signing_alg_values_supported: ["RS256"],
      token_endpoint_auth_methods_supported: ["client_secret_basic"],
      code_challenge_methods_supported: ["S256"],
    });
  }
  if (path.startsWith("/keys")) return json(200, { keys: [] });
  const basic = Buffer.from(headers["authorization"]?.slice(6) ?? "", "base64").toString("utf8");
  const secret = decodeURIComponent(basic.split(":")[1]?.replaceAll("+", " ") ?? "");
  const echo = `You sent ${headers["authorization"]}, which is ${secret}`;
  const code = new URLSearchParams(body.toString("utf8")).get("code");
  if (code === "description") {
    return json(400, { error: "invalid_client", error_description: echo });
  }
  if (code === "error") return json(400, { error: secret, error_uri: `https://e/?s=${secret}` });
  if (code === "challenge") {
    return json(401, {}, { "www-authenticate": `Basic realm="${secret}", error="${secret}"` });
  }
  if (code === "text") return response.writeHead(500).end(echo);
  if (code === "token") {
    const header = Buffer.from('{"alg":"RS256"}').toString("base64url");
    const claims = Buffer.from(JSON.stringify({ iss: secret, sub: echo })).toString("base64url");
    const idToken = `${header}.${claims}.AAAA`;
    return json(200, { token_type: "Bearer", access_token: secret, id_token: idToken });
  }
  return json(200, { [secret]: echo });
};
export const issuerMoods = ["description", "error", "challenge", "text", "token", "odd"] as const;
