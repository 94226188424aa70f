import type { BodyOf } from "@vmx/sdk";
import { nearest } from "../kit/nearest.ts";
import { dimensions, type Measure, measures } from "../records/usage/measures.ts";
import { momentBefore } from "./age.ts";
import { type Flags, type Input, UsageError } from "./command.ts";
import { choicesOf } from "./object-body.ts";
import { operations, resolveSchema } from "./entities.ts";

type Question = BodyOf<"queryUsage">;
type Functions = Question["agg"];

/** What a report counts when nothing else is asked for. */
const usualMetrics = [
  "requestCount",
  "errorCount",
  "promptTokens",
  "completionTokens",
  "totalCost",
];
/** Shorter words for dimensions. */
const shortWords: Readonly<Record<string, string>> = {
  resource: "resourceId",
  connection: "connectionId",
  key: "apiKeyId",
  label: "apiKeyLabel",
  user: "userId",
  status: "statusCode",
};
const functions = ["sum", "avg", "min", "max", "p50", "p90", "p95", "p99"] as const;

/** Options that make a question about usage. */
export function usageFlags(): Flags {
  const members = resolveSchema(operations()["queryUsage"]!.body!).properties!;
  const granularities = choicesOf(resolveSchema(members["granularity"]!));
  return {
    by: {
      type: "string",
      short: "g",
      multiple: true,
      value: "DIMENSION",
      description:
        "groups by this, such as model, resource, key, label or metadata.team; may be repeated",
    },
    metric: {
      type: "string",
      short: "m",
      multiple: true,
      value: "MEASURE[:FUNCTION]",
      description: `measures, with ${functions.join(", ")} after a colon; ${
        usualMetrics.join(", ")
      } when absent`,
    },
    granularity: {
      type: "string",
      value: granularities.join("|"),
      choices: granularities,
      description: "a row for every such step of time; one total when absent",
    },
    since: {
      type: "string",
      value: "AGE",
      description: "how far back, such as 30m, 6h or 7d; 24h when absent",
    },
    from: { type: "string", value: "TIME", description: "begins here instead, such as 2026-03-01" },
    to: { type: "string", value: "TIME", description: "ends before this; now when absent" },
    "time-zone": {
      type: "string",
      value: "ZONE",
      description: "calendar of the steps; UTC when absent",
    },
    where: {
      type: "string",
      multiple: true,
      value: "DIMENSION=VALUE",
      description: "counts only what has this value; repeated for one dimension, any of the values",
    },
    "order-by": {
      type: "string",
      value: "NAME[:asc|desc]",
      description: "a metric, a dimension or time",
    },
    limit: {
      type: "string",
      value: "NUMBER",
      description: "how many rows at most; 1000 when absent",
    },
  };
}

/** Finds the id of an object by its name. */
export type IdOf = (dimension: string, name: string) => Promise<string>;

/** Reads the question the options ask. Throws a UsageError for what makes no sense. */
export async function readUsageQuestion(
  { text, texts }: Pick<Input, "text" | "texts">,
  idOf: IdOf,
  nowMs: number = Date.now(),
): Promise<Question> {
  const groups = texts("by").map(dimensionOf);
  const agg = readMetrics(texts("metric"));
  const since = text("since");
  const from = text("from");
  if (since !== undefined && from !== undefined) {
    throw new UsageError("Say where the report begins once: --since AGE or --from TIME");
  }
  const fields = await readConditions(texts("where"), idOf);
  const [order, direction = "desc"] = text("order-by")?.split(":") ?? [];
  if (direction !== "asc" && direction !== "desc") {
    throw new UsageError(`--order-by ends in :asc or :desc, not ":${direction}"`);
  }
  const granularity = text("granularity") as Question["granularity"];
  const zone = text("time-zone");
  const limit = text("limit");
  const metadata = groups.filter(isMetadata);
  return {
    filter: {
      dateRange: {
        start: from === undefined ? momentBefore(since ?? "24h", nowMs) : momentOf("from", from),
        end: text("to") === undefined ? new Date(nowMs).toISOString() : momentOf("to", text("to")!),
      },
      ...(Object.keys(fields).length > 0 ? { fields } : {}),
    },
    agg,
    dimensions: groups.filter((name) => !isMetadata(name)),
    ...(metadata.length > 0 ? { metadataDimensions: metadata } : {}),
    ...(granularity === undefined ? {} : { granularity }),
    ...(zone === undefined ? {} : { timeZone: zone }),
    ...(order === undefined ? {} : { orderBy: { [orderName(order)]: direction } }),
    ...(limit === undefined ? {} : { limit: numberOf(limit) }),
  };
}

function readMetrics(given: readonly string[]): Functions {
  const agg: Functions = {};
  for (const text of given.length > 0 ? given : usualMetrics) {
    const [word = "", name] = text.split(":");
    const measure = known(word, measures, "metric");
    const chosen = name ?? usualFunction(measure as Measure);
    const found = functions.find((each) => each === chosen);
    if (!found) {
      throw new UsageError(`--metric ends in one of ${functions.join(", ")}, not "${chosen}"`);
    }
    if (agg[measure] !== undefined) {
      throw new UsageError(`--metric takes ${measure} once; ask again for another function`);
    }
    agg[measure] = found;
  }
  return agg;
}

/** Durations and rates do not add up. */
function usualFunction(measure: Measure): string {
  return /Duration$|FirstToken$|PerSecond$/.test(measure) ? "avg" : "sum";
}

async function readConditions(texts: readonly string[], idOf: IdOf) {
  const values = new Map<string, string[]>();
  for (const text of texts) {
    const [, word, value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
    if (word === undefined || value === undefined) {
      throw new UsageError("--where takes DIMENSION=VALUE, such as resource=chat");
    }
    const dimension = dimensionOf(word);
    const meant = await idOf(dimension, value);
    values.set(dimension, [...values.get(dimension) ?? [], meant]);
  }
  return Object.fromEntries(
    [...values].map(([name, value]) => [name, { operator: "in" as const, value }]),
  );
}

function dimensionOf(word: string): string {
  if (isMetadata(word)) return word;
  return Object.hasOwn(shortWords, word)
    ? shortWords[word]!
    : known(word, dimensions, "dimension", Object.keys(shortWords));
}

function orderName(word: string): string {
  if (word === "time" || isMetadata(word)) return word;
  return (measures as readonly string[]).includes(word) ? word : dimensionOf(word);
}

function isMetadata(name: string): boolean {
  return name.startsWith("metadata.");
}

function known(
  word: string,
  names: readonly string[],
  kind: string,
  more: readonly string[] = [],
): string {
  if (names.includes(word)) return word;
  const meant = nearest(word, [...names, ...more]);
  throw new UsageError(
    `There is no ${kind} "${word}"` +
      (meant === undefined
        ? `. There is ${[...more, ...names].join(", ")}`
        : `; did you mean ${meant}?`),
  );
}

function momentOf(flag: string, text: string): string {
  const moment = new Date(text);
  if (/^\d{4}-\d\d-\d\d/.test(text) && !Number.isNaN(moment.getTime())) return moment.toISOString();
  throw new UsageError(
    `--${flag} takes a time such as 2026-03-01 or 2026-03-01T08:00:00Z, not "${text}"`,
  );
}

function numberOf(text: string): number {
  if (/^[1-9]\d{0,4}$/.test(text) && Number(text) <= 10_000) return Number(text);
  throw new UsageError(`--limit takes a number from 1 to 10000, not "${text}"`);
}
