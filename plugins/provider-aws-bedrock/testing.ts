import { createHash, createHmac } from "node:crypto";
import type { RecordedRequest } from "@vmx/core/conformance";

/** What a signature stands on; see `verifySignature`. */
export interface SignatureFacts {
  readonly accessKeyId: string;
  readonly scope: string;
  readonly signedHeaders: readonly string[];
}

/**
 * Checks a request's signature as the service would, by no code of the SDK (Signature Version 4, "Create a signed AWS
 * API request"). Throws when it does not verify.
 */
export function verifySignature(request: RecordedRequest, secretAccessKey: string): SignatureFacts {
  const header = (name: string): string => [request.headers[name] ?? ""].flat().join(",");
  const match =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/([^,]+), SignedHeaders=([^,]+), Signature=([0-9a-f]+)$/
      .exec(header("authorization"));
  if (!match) throw new Error(`No signature: ${header("authorization")}`);
  const [, accessKeyId = "", scope = "", names = "", signature] = match;
  const signedHeaders = names.split(";");
  const [path = "", query = ""] = request.url.split("?", 2);
  const canonical = [
    request.method,
    path.split("/").map(escape).join("/"),
    canonicalQuery(query),
    ...signedHeaders.map((name) => `${name}:${header(name).trim().replace(/\s+/g, " ")}`),
    "",
    names,
    sha256(request.body),
  ].join("\n");
  const toSign = ["AWS4-HMAC-SHA256", header("x-amz-date"), scope, sha256(canonical)].join("\n");
  const key = scope.split("/").reduce<Buffer | string>(
    (secret, step) => createHmac("sha256", secret).update(step).digest(),
    `AWS4${secretAccessKey}`,
  );
  const wanted = createHmac("sha256", key).update(toSign).digest("hex");
  if (wanted !== signature) throw new Error("The signature does not verify");
  return { accessKeyId, scope, signedHeaders };
}

function canonicalQuery(query: string): string {
  if (query === "") return "";
  return [...new URLSearchParams(query)]
    .map(([name, value]) => `${escape(name)}=${escape(value)}`)
    .sort()
    .join("&");
}

function escape(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
