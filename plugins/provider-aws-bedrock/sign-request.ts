import { SignatureV4 } from "@smithy/signature-v4";
import type { AwsCredentialIdentity } from "@smithy/types";
import { Sha256 } from "./sha256.ts";

/** A request about to be signed. */
export interface UnsignedRequest {
  readonly method: string;
  readonly url: URL;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What a signature is made with. */
export interface SigningIdentity {
  readonly credentials: AwsCredentialIdentity;
  readonly region: string;
  /** Unix milliseconds. */
  readonly nowMs: number;
}

/** Signs a request with the SDK's own signer; answers all its headers but `host`, which the transport writes. */
export async function signRequest(
  request: UnsignedRequest,
  { credentials, region, nowMs }: SigningIdentity,
): Promise<Record<string, string>> {
  const { url, body } = request;
  const signer = new SignatureV4({ service: "bedrock", region, credentials, sha256: Sha256 });
  const signed = await signer.sign({
    method: request.method,
    protocol: url.protocol,
    hostname: url.hostname,
    path: url.pathname,
    query: queryOf(url),
    headers: { ...request.headers, host: url.host },
    body,
  }, { signingDate: new Date(nowMs) });
  const { host: _host, ...headers } = signed.headers;
  return headers;
}

/** Query members by name; a repeated one has all its values. */
function queryOf(url: URL): Record<string, string | string[]> {
  const query: Record<string, string | string[]> = {};
  for (const [name, value] of url.searchParams) {
    const before = query[name];
    query[name] = before === undefined ? value : [...[before].flat(), value];
  }
  return query;
}
