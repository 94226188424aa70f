import type {
  Adaptation,
  JsonObject,
  Provider,
  ProviderConnection,
  UsageRequest,
  Warning,
} from "../contract/index.ts";
import { editObject, mayHoldSignatures, mergeObjects, withoutSignatures } from "../kit/index.ts";
import { defaultArguments, type LegCodec } from "./codec.ts";
import type { Exchange, RequestBody } from "./exchange.ts";

/** What goes into a passed-through body beside the caller's own members. */
export interface PassThroughEdits {
  readonly model: string;
  readonly defaultArgs: JsonObject | null;
  readonly providerArgs: JsonObject | undefined;
  readonly usage: UsageRequest;
  readonly adaptation: Adaptation | undefined;
}

/**
 * The body for a leg that speaks the caller's dialect: the caller's text with the documented edits and nothing
 * else touched.
 */
export function passThroughBody(body: RequestBody, edits: PassThroughEdits): string {
  const { model, defaultArgs, providerArgs, usage, adaptation } = edits;
  const remove = [...adaptation?.remove ?? []];
  if (Object.hasOwn(body.value, "vmx")) remove.push("vmx");
  // `providerArgs` comes last by its definition; the usage request comes after it because accounting needs it.
  const asked = accepted(usage.merge, remove);
  const over = providerArgs || asked ? mergeObjects(providerArgs, asked) : null;
  return editObject(body.text, {
    under: defaultArgs,
    remove,
    set: { ...adaptation?.set, model },
    over,
  });
}

/** Members a service would reject are not asked of it either. */
function accepted(
  merge: JsonObject | undefined,
  rejected: readonly string[],
): JsonObject | undefined {
  if (!merge || rejected.length === 0) return merge;
  return Object.fromEntries(Object.entries(merge).filter(([name]) => !rejected.includes(name)));
}

/** The codec of a leg that speaks the caller's dialect: bodies and frames pass, usage is read alongside. */
export function createPassThrough(
  exchange: Exchange,
  provider: Provider,
  connection: ProviderConnection,
  model: string,
  family: string,
): LegCodec {
  const { dialect, request: { endpoint: { operation } } } = exchange;
  const { body, warnings } = readable(exchange, family);
  const usage = dialect.inbound.usageRequest(body.value, operation);
  const defaultArgs = defaultArguments(exchange);
  const adaptation = provider.adapt?.({
    operation,
    dialect: dialect.id,
    model,
    body: defaultArgs ? mergeObjects(defaultArgs, body.value) : body.value,
  }, connection);
  const text = passThroughBody(body, {
    model,
    defaultArgs,
    providerArgs: exchange.envelope.providerArgs,
    usage,
    adaptation,
  });
  return {
    dialect,
    text,
    bodyObject: () => JSON.parse(text) as JsonObject,
    query: exchange.request.query,
    headers: forwarded(exchange),
    warnings: adaptation?.warnings ? [...warnings, ...adaptation.warnings] : warnings,
    tap: () => dialect.inbound.tap({ keepUsage: usage.callerAsked }),
    plain: (value, answer) => ({
      text: answer,
      facts: dialect.readAnswer(value, operation),
      warnings: [],
    }),
  };
}

/** The caller's body without what earlier translated answers left in the conversation and no provider can read. */
function readable(
  exchange: Exchange,
  family: string,
): { body: RequestBody; warnings: readonly Warning[] } {
  const { dialect: { inbound }, request: { endpoint: { operation } } } = exchange;
  const body = exchange.body!;
  const bare = mayHoldSignatures(body.text) ? withoutSignatures(body.value) : body.value;
  const { value, warnings } = inbound.withoutMarks?.(bare, operation, family) ??
    { value: bare, warnings: [] };
  if (value === body.value) return { body, warnings };
  return { body: { ...body, value, text: JSON.stringify(value) }, warnings };
}

/** The caller's headers that belong to the dialect, such as its version. */
function forwarded({ dialect: { inbound }, request: { headers } }: Exchange) {
  const names = inbound.forwardHeaders;
  if (!names) return {};
  return Object.fromEntries(names.flatMap((name) => {
    const value = headers[name];
    return value === undefined ? [] : [[name, value]];
  }));
}
