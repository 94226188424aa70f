import {
  CostEffect,
  type CreatePriceList,
  CreatePriceList as CreatePriceListSchema,
  listOf,
  PreviewPriceList,
  PriceEntry,
  type PriceList,
  PriceList as PriceListSchema,
  PriceListSummary,
  RerateUsage,
} from "@vmx/schemas";
import Type from "typebox";
import { GatewayError } from "../contract/errors.ts";
import { readPriceTable } from "../records/cost/read-price-table.ts";
import { bookOf, rerate } from "../records/cost/re-rate.ts";
import { change } from "../store/change.ts";
import { isUuid, parseTimestamp } from "./field.ts";
import { defineRoute, type Route, type RouteContext } from "./route.ts";
import { createValidation } from "./validation.ts";

const list = "/api/v1/price-lists";
const tag = "Pricing";
const resource = "price-list";
const entriesSchema = Type.Array(PriceEntry, { maxItems: 5_000 });

/** Operations on price lists. */
export const priceListRoutes: readonly Route[] = [
  defineRoute({
    method: "GET",
    path: list,
    operationId: "listPriceLists",
    summary: "Lists the price lists, the newest first, the one of the release last",
    tag,
    access: { action: "price-list:list", resource },
    answer: listOf(PriceListSummary),
    handler: async ({ services }) => ({ data: await services.pricing.list() }),
  }),

  defineRoute({
    method: "POST",
    path: list,
    operationId: "createPriceList",
    summary: "Adds a price list, from JSON entries or from a CSV table; it supersedes older ones",
    tag,
    access: { action: "price-list:create", resource },
    body: CreatePriceListSchema,
    answer: PriceListSchema,
    async handler({ body, services, principal, actor }) {
      const now = services.clock.now();
      const created = await services.pricing.create({
        effectiveFrom: parseTimestamp(body.effectiveFrom, "/effectiveFrom") ?? new Date(now),
        currency: body.currency ?? "USD",
        entries: entriesOf(body),
        createdBy: principal.user.userId,
      });
      await change(services.database, actor, (writing) =>
        Promise.resolve(writing.record({
          action: "price-list:create",
          entity: entityOf(created),
          diff: [{ effectiveFrom: created.effectiveFrom, entries: created.entries.length }],
        })));
      return created;
    },
  }),

  defineRoute({
    method: "POST",
    path: `${list}/preview`,
    operationId: "previewPriceList",
    summary: "Tells what the requests of the last days would have cost by a price list",
    tag,
    access: { action: "price-list:create", resource },
    body: PreviewPriceList,
    status: 200,
    answer: CostEffect,
    replayable: false,
    async handler({ body, services }) {
      const { pricing, database, clock } = services;
      const now = clock.now();
      const currency = body.currency ?? "USD";
      const draft: PriceList = {
        ...pricing.system,
        source: "USER",
        currency,
        entries: entriesOf(body),
      };
      const from = new Date(now - (body.days ?? 30) * 86_400_000);
      return await rerate(
        database.statements,
        bookOf(draft, pricing.system),
        { from, to: new Date(now) },
        { dryRun: true, currency, now },
      );
    },
  }),

  defineRoute({
    method: "GET",
    path: `${list}/{priceListId}`,
    operationId: "getPriceList",
    summary: "Reads a price list with its entries",
    tag,
    access: { action: "price-list:get", resource },
    answer: PriceListSchema,
    problems: ["PRICE_LIST_NOT_FOUND"],
    handler: findList,
  }),

  defineRoute({
    method: "POST",
    path: `${list}/{priceListId}/re-rate`,
    operationId: "rerateUsage",
    summary: "Prices the requests of a period anew by a price list; usage follows within a minute",
    tag,
    access: { action: "price-list:re-rate", resource },
    body: RerateUsage,
    status: 200,
    answer: CostEffect,
    problems: ["PRICE_LIST_NOT_FOUND"],
    async handler(context) {
      const { body, services, actor } = context;
      const chosen = await findList(context);
      const from = parseTimestamp(body.from, "/from")!;
      const to = parseTimestamp(body.to, "/to")!;
      if (from >= to) refuse("/to", "must be later than from");
      const dryRun = body.dryRun ?? false;
      const { workspaceId, environmentId } = body;
      const effect = await rerate(
        services.database.statements,
        bookOf(chosen, services.pricing.system),
        { from, to, workspaceId, environmentId },
        { dryRun, currency: chosen.currency, now: services.clock.now() },
      );
      if (!dryRun) {
        const { requests, before, after } = effect;
        await change(services.database, actor, (writing) =>
          Promise.resolve(writing.record({
            action: "price-list:re-rate",
            entity: entityOf(chosen),
            workspaceId,
            environmentId,
            diff: [{ from: body.from, to: body.to, requests, before, after }],
          })));
      }
      return effect;
    },
  }),
];

const validation = createValidation();

function entriesOf({ entries, csv }: Pick<CreatePriceList, "entries" | "csv">): PriceEntry[] {
  if ((entries === undefined) === (csv === undefined)) {
    refuse("/entries", "must be given, or csv in its place");
  }
  if (entries) return entries;
  const read = readPriceTable(csv!);
  validation.body(entriesSchema, read);
  return read as PriceEntry[];
}

async function findList(
  { services, params }: Pick<RouteContext, "services" | "params">,
): Promise<PriceList> {
  const id = params["priceListId"];
  const found = isUuid(id) ? await services.pricing.read(id) : undefined;
  if (found) return found;
  throw new GatewayError("PRICE_LIST_NOT_FOUND", "The price list does not exist");
}

function entityOf({ priceListId, version }: PriceList) {
  return { type: "price-list", id: priceListId, name: `version ${version}` };
}

function refuse(path: string, rule: string): never {
  throw new GatewayError("VALIDATION_FAILED", `Cannot accept the body: ${path} ${rule}`, {
    faults: [{ path, code: "required", message: rule }],
  });
}
