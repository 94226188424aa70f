/** One filter that is set: a chip on the screen, a member of the address. */
export interface AuditFilter {
  readonly field: AuditField;
  /** Key of the metadata, of the field `metadata` only. */
  readonly key?: string;
  readonly value: string;
}

/** Something requests can be chosen by. */
export interface AuditField {
  /** Its word in the address and in what is typed. */
  readonly name: string;
  readonly label: string;
  /** Its query member of the API. */
  readonly parameter: string;
  /** Values on offer; free text without them. */
  readonly values?: readonly string[];
  /** Values are names of objects of the environment; the API gets their ids. */
  readonly of?: "resources" | "connections" | "keys";
  readonly hint?: string;
}

/** Everything requests can be chosen by. */
export const auditFields: readonly AuditField[] = [
  {
    name: "status",
    label: "Status",
    parameter: "status",
    values: ["ok", "error", "denied", "blocked", "aborted", "partial", "interrupted"],
  },
  { name: "code", label: "Status code", parameter: "statusCode", hint: "429, or 5xx" },
  { name: "resource", label: "Resource", parameter: "resourceId", of: "resources" },
  { name: "connection", label: "Connection", parameter: "connectionId", of: "connections" },
  { name: "provider", label: "Provider", parameter: "provider" },
  { name: "model", label: "Model", parameter: "model", hint: "* stands for any characters" },
  { name: "key", label: "API key", parameter: "apiKeyId", of: "keys" },
  { name: "label", label: "Key label", parameter: "label" },
  { name: "user", label: "User id", parameter: "userId" },
  { name: "correlation", label: "Correlation id", parameter: "correlationId" },
  { name: "metadata", label: "Metadata", parameter: "metadata" },
  { name: "reason", label: "Failure reason", parameter: "failureReason" },
  { name: "duration", label: "Longer than", parameter: "minDurationMs", hint: "500ms, 5s or 2min" },
  { name: "fallback", label: "Fell back", parameter: "fallback", values: ["yes"] },
  { name: "warnings", label: "Has warnings", parameter: "warnings", values: ["yes"] },
  {
    name: "type",
    label: "Type",
    parameter: "type",
    values: ["COMPLETION", "COMPLETION_BATCH", "EMBEDDING", "COUNT_TOKENS"],
  },
  {
    name: "endpoint",
    label: "Endpoint",
    parameter: "endpoint",
    values: ["CHAT_COMPLETIONS", "RESPONSES", "ANTHROPIC_MESSAGES", "EMBEDDINGS"],
  },
  { name: "batch", label: "Batch id", parameter: "batchId" },
];

const fieldOf = (name: string) => auditFields.find((field) => field.name === name);

/** Reads filters from an address; metadata is `metadata=key=value`, as often as needed. */
export function readFilters(
  query: { get(name: string): string | null; getAll(name: string): string[] },
): AuditFilter[] {
  return auditFields.flatMap((field): AuditFilter[] => {
    if (field.name === "metadata") {
      return query.getAll("metadata").flatMap((text) => {
        const at = text.indexOf("=");
        return at < 1 ? [] : [{ field, key: text.slice(0, at), value: text.slice(at + 1) }];
      });
    }
    const value = query.get(field.name);
    return value ? [{ field, value }] : [];
  });
}

/** Writes filters into a query in place of those in it. */
export function writeFilters(query: URLSearchParams, filters: readonly AuditFilter[]): void {
  for (const { name } of auditFields) query.delete(name);
  for (const { field, key, value } of filters) {
    if (field.name === "metadata") query.append("metadata", `${key}=${value}`);
    else query.set(field.name, value);
  }
}

/** Puts a filter to others, in place of one of the same field and key. */
export function withFilter(filters: readonly AuditFilter[], added: AuditFilter): AuditFilter[] {
  return [
    ...filters.filter(({ field, key }) => field !== added.field || key !== added.key),
    added,
  ];
}

/**
 * Reads what somebody types: `status:error model:gpt* duration:5s metadata.tier:gold label:"team a"`.
 *
 * @returns the filters and the words that are none
 */
export function parseFilters(
  text: string,
): { readonly filters: AuditFilter[]; readonly rest: readonly string[] } {
  const filters: AuditFilter[] = [];
  const rest: string[] = [];
  for (const [word, name, key, quoted, plain] of text.matchAll(words)) {
    const field = name === undefined ? undefined : fieldOf(name.toLowerCase());
    const value = quoted ?? plain ?? "";
    const needsKey = field?.name === "metadata";
    const known = !field?.values || field.values.includes(value);
    if (!field || !value || needsKey !== (key !== undefined) || !known) rest.push(word);
    else filters.push({ field, value: value.replace(/^>/, ""), ...(key ? { key } : {}) });
  }
  return { filters, rest };
}

const words = /([A-Za-z]+)(?:\.([\w.-]+))?:(?:"([^"]*)"|(\S+))|\S+/g;

/** `5s`, `500ms` or `2min` in milliseconds; a bare number is milliseconds. */
export function durationMs(text: string): number | undefined {
  const [, number, unit = "ms"] = /^>?\s*(\d+(?:\.\d+)?)\s*(ms|s|min)?$/.exec(text) ?? [];
  if (number === undefined) return undefined;
  return Number(number) * { ms: 1, s: 1_000, min: 60_000 }[unit as "ms" | "s" | "min"];
}

/** A query of the API. */
export type AuditQuery = Record<string, string | number | boolean> & {
  readonly [key: `metadata.${string}`]: string;
};

/**
 * Filters as the API takes them.
 *
 * @param idOf finds the id of a named object; what it does not know goes as it is, since deleted objects have rows
 */
export function queryOf(
  filters: readonly AuditFilter[],
  idOf: (of: NonNullable<AuditField["of"]>, name: string) => string | undefined,
): AuditQuery {
  const query: Record<string, string | number | boolean> = {};
  for (const { field, key, value } of filters) {
    if (field.name === "metadata") query[`metadata.${key}`] = value;
    else if (field.name === "duration") query["minDurationMs"] = durationMs(value) ?? 0;
    else if (field.values?.[0] === "yes") query[field.parameter] = true;
    else query[field.parameter] = field.of ? idOf(field.of, value) ?? value : value;
  }
  return query as AuditQuery;
}

/** A filter in a few words. */
export function describeFilter({ field, key, value }: AuditFilter): string {
  if (field.values?.[0] === "yes") return field.label;
  return field.name === "metadata" ? `${key}: ${value}` : `${field.label}: ${value}`;
}
