/*
 * The service knows a column only once a record had it, and refuses queries by one it does not know. Every record
 * therefore has every column; what is absent is written as a mark that is no value.
 */

/** Stands for an absent text. */
export const noText = "-";

/** Stands for an absent number: no measure is below zero. */
export const noNumber = -1;

/** Texts that tell points apart. */
export const dimensions = [
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
  "failureReason",
  "requestId",
  "messageId",
  "correlationId",
  "sourceIp",
] as const;

/** Whole numbers. */
export const wholeMeasures = [
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
  "inputCost",
  "outputCost",
  "cachedCost",
  "reasoningCost",
  "totalCost",
] as const;

/** Numbers with a fraction. */
export const fractionalMeasures = [
  "tokensPerSecond",
  "timeToFirstToken",
  "requestDuration",
  "providerDuration",
  "gateDuration",
  "routingDuration",
] as const;

/** Fields that are compared as numbers. */
export const numericFields: ReadonlySet<string> = new Set([
  "statusCode",
  ...wholeMeasures,
  ...fractionalMeasures,
]);
