/** Dimensions with few values, kept as symbols. */
export const symbols = [
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
] as const;

/** Dimensions with a value for nearly every point. */
export const texts = ["messageId", "correlationId", "sourceIp"] as const;

/** Measures that are whole numbers. */
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

/** Measures with a fraction. */
export const fractionalMeasures = [
  "tokensPerSecond",
  "timeToFirstToken",
  "requestDuration",
  "providerDuration",
  "gateDuration",
  "routingDuration",
] as const;

/** Every column a question may name; `statusCode` is a number, `metadata` a JSON object. */
export const columns: ReadonlySet<string> = new Set([
  ...symbols,
  ...texts,
  "requestId",
  "statusCode",
  ...wholeMeasures,
  ...fractionalMeasures,
]);

/** Columns that are compared as numbers. */
export const numericColumns: ReadonlySet<string> = new Set([
  "statusCode",
  ...wholeMeasures,
  ...fractionalMeasures,
]);

/** The statement that makes the table. A point that is written twice stays one. */
export function createTable(table: string): string {
  return `CREATE TABLE IF NOT EXISTS ${table} (ts TIMESTAMP, requestId VARCHAR, leg INT, ` +
    [
      ...symbols.map((name) => `${name} SYMBOL`),
      ...texts.map((name) => `${name} VARCHAR`),
      "statusCode INT",
      "metadata VARCHAR",
      ...wholeMeasures.map((name) => `${name} LONG`),
      ...fractionalMeasures.map((name) => `${name} DOUBLE`),
    ].join(", ") +
    ") TIMESTAMP(ts) PARTITION BY DAY WAL DEDUP UPSERT KEYS(ts, requestId, leg)";
}

/** The member of the metadata column a key is kept under: a point would lead into an object. */
export function metadataMember(key: string): string {
  return key.replaceAll("~", "~0").replaceAll(".", "~1");
}
