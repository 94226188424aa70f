import { GatewayError, type Operation } from "@vmx/core/contract";

const methods: Readonly<Record<string, string>> = {
  "chat": "generateContent",
  "embeddings": "batchEmbedContents",
  "count-tokens": "countTokens",
};

/**
 * A model as the service names it: `models/` goes before a bare id; tuned models, publishers' models and those of
 * a project bear their own collection.
 */
export function modelPath(model: string): string {
  return /^(models|tunedModels|publishers|projects)\//.test(model) ? model : `models/${model}`;
}

/**
 * The path of a request below the service's base URL, version included in the base.
 *
 * Throws `operation_not_supported`, and `invalid_request` for a model whose name would lead to another resource.
 */
export function requestPath(
  { operation, model, stream }: { operation: Operation; model: string; stream: boolean },
): string {
  const method = methods[operation];
  if (method === undefined) {
    throw new GatewayError(
      "operation_not_supported",
      `Cannot name a path: the dialect has no operation "${operation}"`,
    );
  }
  const steps = modelPath(model).split("/");
  if (steps.some((step) => step === "" || step === "." || step === "..")) {
    throw new GatewayError("invalid_request", `Cannot name a path: "${model}" is no model's name`, {
      param: "model",
    });
  }
  const path = steps.map((step) => encodeURIComponent(step).replaceAll("%40", "@")).join("/");
  return stream && operation === "chat"
    ? `/${path}:streamGenerateContent?alt=sse`
    : `/${path}:${method}`;
}
