import type { AuditDetail } from "@vmx/sdk";

const paths: Readonly<Record<string, string>> = {
  CHAT_COMPLETIONS: "/v1/chat/completions",
  RESPONSES: "/v1/responses",
  ANTHROPIC_MESSAGES: "/v1/messages",
  EMBEDDINGS: "/v1/embeddings",
};

/** The request as a command, with the key left to whoever runs it. */
export function curlOf(request: AuditDetail, origin: string): string {
  const body = JSON.stringify(request.requestBody).replaceAll("'", "'\\''");
  return `curl ${origin}${paths[request.endpoint] ?? "/v1/chat/completions"} \\
  -H "Authorization: Bearer $VMX_API_KEY" \\
  -H "Content-Type: application/json" \\
  -d '${body}'`;
}
