import { Readable } from "node:stream";
import { HttpResponse } from "@smithy/core/protocols";
import type { HttpClient } from "@vmx/core/contract";
import type { HttpHandlerOptions, HttpRequest, RequestHandler } from "@smithy/types";

/** Milliseconds one call of an SDK's client may take until its head has come. */
const idleTimeoutMs = 30_000;

/** What SDK clients take as their `requestHandler`. */
export type SdkTransport = RequestHandler<HttpRequest, HttpResponse, HttpHandlerOptions>;

/** Lets SDK clients call through the gateway's own HTTP client, and so through its egress guard. */
export function createSdkTransport(http: HttpClient, signal: AbortSignal): SdkTransport {
  return {
    metadata: { handlerProtocol: "http/1.1" },
    async handle(request) {
      const { host: _host, "content-length": _length, expect: _expect, ...headers } =
        request.headers;
      const { status, headers: answered, body } = await http.send({
        method: request.method,
        url: urlOf(request),
        headers,
        ...(request.body === undefined || request.body === ""
          ? {}
          : { body: request.body as string | Uint8Array }),
        signal,
        idleTimeoutMs,
      });
      const known = Object.entries(answered).filter((entry): entry is [string, string] =>
        entry[1] !== undefined
      );
      return {
        response: new HttpResponse({
          statusCode: status,
          headers: Object.fromEntries(known),
          body: Readable.from(body, { objectMode: false }),
        }),
      };
    },
  };
}

function urlOf({ protocol, hostname, port, path, query }: HttpRequest): string {
  const pairs = Object.entries(query ?? {}).flatMap(([name, value]) =>
    [value ?? []].flat().map((each) => `${encodeURIComponent(name)}=${encodeURIComponent(each)}`)
  );
  const origin = `${protocol}//${hostname}${port === undefined ? "" : `:${port}`}`;
  return `${origin}${path}${pairs.length === 0 ? "" : `?${pairs.join("&")}`}`;
}
