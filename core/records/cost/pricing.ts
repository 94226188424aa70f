import { randomUUID } from "node:crypto";
import type { PriceEntry, PriceList, PriceListSummary } from "@vmx/schemas";
import type { Clock, Log } from "../../contract/index.ts";
import type { PluginHost } from "../../host/plugin-host.ts";
import type { Statements } from "../../store/statements.ts";
import type { PriceRecord } from "../record.ts";
import { createPriceBook, type PriceBook } from "./price-book.ts";
import { priceRecord } from "./price-record.ts";
import { systemList } from "./system-list.ts";

/** A list as somebody uploads it. */
export interface NewPriceList {
  readonly effectiveFrom: Date;
  readonly currency: string;
  readonly entries: readonly PriceEntry[];
  readonly createdBy: string | null;
}

/** The prices of this process: lists of the database, held in memory, and the one of the release. */
export interface Pricing {
  /** Adds what a finished request cost. No input or output: it works with the lists in memory. */
  readonly price: PriceRecord;
  /** The list of the release. */
  readonly system: PriceList;
  /** Every list in force, as last read. */
  book(): PriceBook;
  /** Every list with the newest version first, the list of the release last. */
  list(): Promise<PriceListSummary[]>;
  read(priceListId: string): Promise<PriceList | undefined>;
  create(list: NewPriceList): Promise<PriceList>;
  /** Requests that used something without a price, since the start. */
  unpriced(): number;
  /** Reads lists other processes have added, now and from time to time. */
  start(): Promise<void>;
  stop(): void;
}

const pollMs = 5_000;

interface PriceListRow extends Omit<PriceList, "effectiveFrom" | "createdAt"> {
  readonly effectiveFrom: Date;
  readonly createdAt: Date;
}

/** Creates the prices of a process; until `start` it knows the list of the release alone. */
export function createPricing(
  options: {
    readonly statements: Statements;
    readonly host: Pick<PluginHost, "contributions">;
    readonly clock: Clock;
    readonly log: Log;
  },
): Pricing {
  const { statements, clock, log } = options;
  const table = `${statements.schema}.price_lists`;
  const system = systemList(options.host);
  const users = new Map<string, PriceList>();
  let book = createPriceBook(system, []);
  let unpriced = 0;
  let timer: ReturnType<typeof setInterval> | undefined;
  let newest = 0;

  /** Lists are never changed, so only those above the highest known version are read. */
  async function refresh(): Promise<void> {
    const rows = await statements.write<PriceListRow>(
      `select ${columns} from ${table} where version > $1 order by version`,
      [newest],
    );
    if (rows.length === 0) return;
    for (const row of rows) {
      users.set(row.priceListId, present(row));
      newest = Math.max(newest, row.version);
    }
    book = createPriceBook(system, [...users.values()]);
  }

  return {
    system,
    book: () => book,
    price(record) {
      const { unpriced: lacksPrice, ...priced } = priceRecord(record, book);
      if (lacksPrice) unpriced++;
      return { ...record, ...priced };
    },
    async list() {
      const rows = await statements.write<Omit<PriceListRow, "entries"> & { entryCount: number }>(
        `select ${summaryColumns}, jsonb_array_length(entries) as "entryCount" ` +
          `from ${table} order by version desc`,
      );
      const { entries, ...summary } = system;
      return [...rows.map(present), { ...summary, entryCount: entries.length }];
    },
    async read(priceListId) {
      if (priceListId === system.priceListId) return system;
      const [row] = await statements.write<PriceListRow>(
        `select ${columns} from ${table} where price_list_id = $1`,
        [priceListId],
      );
      return row && present(row);
    },
    async create({ effectiveFrom, currency, entries, createdBy }) {
      const priceListId = randomUUID();
      const [row] = await statements.transaction(async (query) => {
        // One after the other, so that a version appears only after all lower ones.
        await query(`lock table ${table} in exclusive mode`);
        return await query<PriceListRow>(
          `insert into ${table}
             (price_list_id, version, effective_from, currency, entries, created_at, created_by)
           select $1, coalesce(max(version), 0) + 1, $2, $3, $4, $5, $6 from ${table}
           returning ${columns}`,
          [
            priceListId,
            effectiveFrom,
            currency,
            JSON.stringify(entries),
            new Date(clock.now()),
            createdBy,
          ],
        );
      });
      await refresh();
      return present(row!);
    },
    unpriced: () => unpriced,
    async start() {
      const tryRefresh = () =>
        refresh().catch((error: unknown) => log.debug("Cannot read price lists yet", { error }));
      timer = setInterval(tryRefresh, pollMs);
      timer.unref();
      await tryRefresh();
    },
    stop: () => clearInterval(timer),
  };
}

const summaryColumns = `price_list_id as "priceListId", version, 'USER' as source, ` +
  `effective_from as "effectiveFrom", currency, created_at as "createdAt", ` +
  `created_by as "createdBy"`;
const columns = `${summaryColumns}, entries`;

function present<Row extends { effectiveFrom: Date; createdAt: Date }>(row: Row) {
  return {
    ...row,
    effectiveFrom: row.effectiveFrom.toISOString(),
    createdAt: row.createdAt.toISOString(),
  };
}
