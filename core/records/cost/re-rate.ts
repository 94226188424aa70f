import type { AuditCost, AuditLeg, CostEffect, PriceList } from "@vmx/schemas";
import type { Query, Statements } from "../../store/statements.ts";
import { costMeasures } from "../usage/points.ts";
import { createPriceBook, type PriceBook } from "./price-book.ts";
import { type Priceable, priceRecord } from "./price-record.ts";

/** Which requests are priced anew. */
export interface RerateScope {
  readonly from: Date;
  readonly to: Date;
  readonly workspaceId?: string | undefined;
  readonly environmentId?: string | undefined;
}

interface Row {
  readonly requestId: string;
  readonly timestamp: Date;
  readonly auditClass: number;
  readonly type: Priceable["type"];
  readonly provider: string | null;
  readonly model: string | null;
  readonly serviceTier: string | null;
  readonly cost: AuditCost | null;
  readonly legs: AuditLeg[];
}

interface Rated {
  readonly row: Row;
  readonly cost: AuditCost;
  readonly legs: AuditLeg[];
}

interface Totals {
  requests: number;
  before: number;
  after: number;
  unpriced: number;
}

const pageRows = 1_000;

/** Prices by one list at all times, and by the list of the release where that has no entry. */
export function bookOf(list: Pick<PriceList, "source"> & PriceList, system: PriceList): PriceBook {
  const always = { ...list, effectiveFrom: new Date(0).toISOString() };
  return createPriceBook(system, list.source === "SYSTEM" ? [] : [always]);
}

/**
 * Tells what requests cost by the prices of `book`, and unless `dryRun` writes it down page by page: the new cost,
 * when it was rated, and the first cost; the usage points follow, and the rollups with the next run of their job.
 * Requests the book has no price for keep what they have.
 *
 * @param now Unix milliseconds
 */
export async function rerate(
  statements: Statements,
  book: PriceBook,
  scope: RerateScope,
  options: { readonly dryRun: boolean; readonly currency: string; readonly now: number },
): Promise<CostEffect> {
  const models = new Map<string, Totals & { provider: string; model: string }>();
  let after: Pick<Row, "timestamp" | "requestId"> | undefined;
  for (;;) {
    const rows = await readPage(statements, scope, after);
    const rated: Rated[] = [];
    for (const row of rows) {
      const { cost, legs, unpriced } = priceRecord(
        { ...row, timestamp: row.timestamp.toISOString() },
        book,
      );
      if (cost) rated.push({ row, cost, legs });
      count(models, row, cost, unpriced);
    }
    if (!options.dryRun && rated.length > 0) {
      await statements.transaction((query) =>
        write(query, statements.schema, rated, new Date(options.now))
      );
    }
    after = rows.at(-1);
    if (rows.length < pageRows) break;
  }
  const perModel = [...models.values()]
    .map((totals) => ({ ...totals, difference: totals.after - totals.before }))
    .sort((a, b) => Math.abs(b.difference) - Math.abs(a.difference));
  const sum = (member: keyof Totals) => perModel.reduce((total, one) => total + one[member], 0);
  return {
    currency: options.currency,
    from: scope.from.toISOString(),
    to: scope.to.toISOString(),
    dryRun: options.dryRun,
    requests: sum("requests"),
    before: sum("before"),
    after: sum("after"),
    difference: sum("after") - sum("before"),
    unpriced: sum("unpriced"),
    models: perModel,
  };
}

function count(
  models: Map<string, Totals & { provider: string; model: string }>,
  { provider, model, cost: before }: Row,
  cost: AuditCost | null,
  unpriced: boolean,
): void {
  if (!before && !cost && !unpriced) return;
  const key = JSON.stringify([provider, model]);
  const totals = models.get(key) ??
    { provider: provider ?? "", model: model ?? "", requests: 0, before: 0, after: 0, unpriced: 0 };
  totals.requests++;
  totals.before += before?.total ?? 0;
  totals.after += (cost ?? before)?.total ?? 0;
  if (unpriced) totals.unpriced++;
  models.set(key, totals);
}

/** Rows of one page that used something, in order of their time. */
function readPage(
  { write: query, schema }: Statements,
  { from, to, workspaceId, environmentId }: RerateScope,
  after: Pick<Row, "timestamp" | "requestId"> | undefined,
): Promise<Row[]> {
  const values: unknown[] = [from, to];
  let where = "";
  const add = (condition: string, ...given: unknown[]) => {
    where += ` and ${condition.replace(/\?/g, () => `$${values.push(given.shift())}`)}`;
  };
  if (workspaceId !== undefined) add("workspace_id = ?", workspaceId);
  if (environmentId !== undefined) add("environment_id = ?", environmentId);
  if (after) add("(timestamp, request_id) > (?, ?)", after.timestamp, after.requestId);
  return query<Row>(
    `select request_id as "requestId", timestamp, audit_class as "auditClass", type, provider,
       model, service_tier as "serviceTier", cost, legs
     from ${schema}.audit
     where timestamp >= $1 and timestamp < $2 and legs <> '[]'${where}
     order by timestamp, request_id limit ${pageRows}`,
    values,
  );
}

async function write(
  query: Query,
  schema: string,
  rated: readonly Rated[],
  at: Date,
): Promise<void> {
  const keys = ({ row }: Rated) => ({
    request_id: row.requestId,
    timestamp: row.timestamp.toISOString(),
    audit_class: row.auditClass,
  });
  await query(
    `update ${schema}.audit a set cost = r.cost, legs = r.legs, rated_at = $2,
       original_cost = case when a.rated_at is null then a.cost else a.original_cost end
     from json_to_recordset($1::json) as r
       (request_id uuid, timestamp timestamptz, audit_class smallint, cost jsonb, legs jsonb)
     where a.audit_class = r.audit_class and a.timestamp = r.timestamp
       and a.request_id = r.request_id`,
    [
      JSON.stringify(rated.map((one) => ({ ...keys(one), cost: one.cost, legs: one.legs }))),
      at,
    ],
  );
  const points = rated.flatMap((one) =>
    one.legs.map((leg) => ({ ...keys(one), leg_index: leg.index, ...costMeasures(leg.cost) }))
  );
  await query(
    `update ${schema}.usage_points p set input_cost = r."inputCost", output_cost = r."outputCost",
       cached_cost = r."cachedCost", reasoning_cost = r."reasoningCost",
       total_cost = r."totalCost"
     from json_to_recordset($1::json) as r
       (request_id uuid, timestamp timestamptz, audit_class smallint, leg_index smallint,
        "inputCost" bigint, "outputCost" bigint, "cachedCost" bigint, "reasoningCost" bigint,
        "totalCost" bigint)
     where p.timestamp = r.timestamp and p.request_id = r.request_id
       and p.leg_index = r.leg_index and p.audit_class = r.audit_class`,
    [JSON.stringify(points)],
  );
  await query(
    `insert into ${schema}.usage_touched (minute)
     select distinct date_trunc('minute', at) from unnest($1::timestamptz[]) as at`,
    [rated.map(({ row }) => row.timestamp)],
  );
}
