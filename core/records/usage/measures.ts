/** Measures of a usage point, in the order rollups keep them. Durations are milliseconds, costs nano-units. */
export const measures = [
  "promptTokens",
  "completionTokens",
  "totalTokens",
  "cachedTokens",
  "cacheCreationTokens",
  "reasoningTokens",
  "requestCount",
  "legCount",
  "successCount",
  "errorCount",
  "tokensPerSecond",
  "timeToFirstToken",
  "requestDuration",
  "providerDuration",
  "gateDuration",
  "routingDuration",
  "inputCost",
  "outputCost",
  "cachedCost",
  "reasoningCost",
  "totalCost",
] as const;

/** See `measures`. */
export type Measure = (typeof measures)[number];

/** Measures that are 0 or 1 in a point; all others have sketches in the rollups. */
export const counts: ReadonlySet<Measure> = new Set([
  "requestCount",
  "legCount",
  "successCount",
  "errorCount",
]);

/** Dimensions that rollups keep. */
export const rollupDimensions = [
  "workspaceId",
  "environmentId",
  "resourceId",
  "connectionId",
  "provider",
  "model",
  "apiKeyId",
  "apiKeyLabel",
  "userId",
  "endpoint",
  "type",
  "statusCode",
  "failureReason",
] as const;

/** Dimensions only raw points have; metadata is a third kind. */
export const pointDimensions = ["requestId", "messageId", "correlationId", "sourceIp"] as const;

/** Every dimension but metadata. */
export const dimensions = [...rollupDimensions, ...pointDimensions] as const;

/** See `dimensions`. */
export type Dimension = (typeof dimensions)[number];

/** The column of a measure or dimension, such as `prompt_tokens`. */
export function usageColumn(name: Measure | Dimension): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
