import type { AnswerOf } from "@vmx/sdk";
import type { Row } from "./output.ts";
import { tableOf } from "./table.ts";

type Meters = AnswerOf<"getCapacity">["data"];
type Allocations = AnswerOf<"getAllocation">["data"];
type RouteTest = AnswerOf<"testAiResourceRoute">;

/** What a table shows of answers whose numbers lie deeper than a table looks; undefined for all others. */
export function shownRows(entity: string, { data }: Row): readonly Row[] | undefined {
  if (!Array.isArray(data) || data.length === 0) return undefined;
  if (entity === "capacity") return meterRows(data as Meters);
  if (entity === "allocation") return shareRows(data as Allocations);
  return undefined;
}

function meterRows(meters: Meters): Row[] {
  return meters.map(({ level, subjectId, subjectName, period, requests, tokens, ...rest }) => ({
    level,
    subject: subjectName ?? subjectId,
    ...("dimensionValue" in rest ? { of: rest.dimensionValue } : {}),
    period,
    requests: usage(requests),
    tokens: usage(tokens),
    denied: rest.deniedInWindow,
    resetAt: rest.resetAt,
  }));
}

function usage({ limit, used }: Meters[number]["requests"]): string | null {
  return limit === null ? null : `${used} of ${limit}`;
}

function shareRows(connections: Allocations): Row[] {
  return connections.flatMap(({ connectionId, limit, pools }) =>
    pools.map((
      { name, min, current, max, demandTokens, usedThisMinute, deniedThisMinute, reason },
    ) => ({
      pool: name,
      connection: connectionId,
      share: `${current} %`,
      within: `${min} to ${max} %`,
      tokens: `${usedThisMinute} of ${Math.floor(limit * current / 100)}`,
      demand: demandTokens,
      denied: deniedThisMinute,
      reason,
    }))
  );
}

/** A dry run for eyes: the rules with what became of them, then the chain of legs. */
export function routeTestText({ trace, chain, estimate, errors, ...rest }: RouteTest): string {
  const routes = trace.routes.map((route, index) => ({
    rule: route.description ?? `#${index + 1}`,
    result: route.result,
    because: route.error ?? (route.conditions ?? [])
      .filter(({ result }) => result !== "not_evaluated")
      .map(({ label, path, left, comparator, right, result }) =>
        `${label ?? path}: ${text(left)} ${comparator} ${text(right)} is ${result}`
      ).join("; "),
  }));
  const legs = chain.map((leg) => ({
    leg: leg.kind,
    connection: leg.connectionName,
    model: leg.model,
    maxRetries: leg.maxRetries,
    timeoutMs: leg.timeoutMs,
    inItsWay: hindrances(leg).join("; ") || null,
  }));
  const lines = [
    ...(routes.length > 0 ? [tableOf(routes, true), ""] : []),
    ...("blocked" in rest && rest.blocked ? ["The request is blocked.", ""] : []),
    tableOf(legs, true),
    "",
    `Estimated tokens: ${estimate.inputTokens} in, ${estimate.expectedOutputTokens} out`,
    ...errors.map((error) => `The caller would be refused: ${text(error)}`),
  ];
  return `${lines.join("\n")}\n`.replace(/\n{3,}/g, "\n\n");
}

function hindrances({ allowed, circuit, gates, warnings }: RouteTest["chain"][number]): string[] {
  return [
    ...(allowed ? [] : ["the connection does not allow the model"]),
    ...(circuit === "closed" ? [] : [`its circuit is ${circuit}`]),
    ...gates.filter(({ wouldPass }) => !wouldPass).map((
      { level, subjectName, period, used, limit },
    ) => `${level} ${subjectName ?? ""}: ${text(used)} of ${text(limit)} this ${period}`),
    ...warnings.map(({ code, path }) => `${code} at ${path}`),
  ];
}

function text(value: unknown): string {
  if (value === null || value === undefined) return "nothing";
  return typeof value === "string" ? value : JSON.stringify(value);
}
