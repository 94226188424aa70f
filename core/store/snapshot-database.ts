import { GatewayError } from "../contract/errors.ts";
import type { Database } from "./database.ts";
import { snapshotEntities } from "./snapshot-rows.ts";
import type { SnapshotTables } from "./snapshot-tables.ts";

type Row = Readonly<Record<string, unknown>>;
type Where = Readonly<Record<string, unknown>>;

/** What of a query's options counts here. */
interface FindOptions {
  readonly orderBy?: Readonly<Record<string, "asc" | "desc">>;
  readonly limit?: number;
  readonly offset?: number;
}

/**
 * The configuration this process holds, read like the database. Whatever it does not hold, and every write, throws
 * `DATABASE_UNAVAILABLE`.
 */
export function createSnapshotDatabase(database: Database, tables: SnapshotTables): Database {
  const find = (entity: unknown, where: Where = {}, options: FindOptions = {}): Row[] => {
    const found = rowsOf(tables, entity).filter((row) => meets(row, where));
    const order = Object.entries(options.orderBy ?? {});
    found.sort((one, other) => {
      for (const [name, direction] of order) {
        const by = compare(one[name], other[name]);
        if (by !== 0) return direction === "desc" ? -by : by;
      }
      return 0;
    });
    const from = options.offset ?? 0;
    return found.slice(from, options.limit === undefined ? undefined : from + options.limit);
  };
  const reader = {
    find: promised(find),
    findOne: promised((entity, where, options) => find(entity, where, options)[0] ?? null),
    count: promised((entity, where) => find(entity, where).length),
  };
  const refused = () => new Promise<never>(refuse);
  const em = new Proxy(reader, {
    get: (target, name) => target[name as keyof typeof target] ?? refused,
  }) as unknown as ReturnType<Database["em"]>;
  return {
    ...database,
    em: () => em,
    transaction: refused,
    statements: { ...database.statements, read: refused, write: refused, transaction: refused },
  };
}

function promised<Result>(
  work: (entity: unknown, where?: Where, options?: FindOptions) => Result,
): (entity: unknown, where?: Where, options?: FindOptions) => Promise<Result> {
  return (...given) => new Promise((resolve) => resolve(work(...given)));
}

function rowsOf(tables: SnapshotTables, entity: unknown): Row[] {
  for (const [name, known] of Object.entries(snapshotEntities)) {
    if (known !== entity) continue;
    return [...tables[name as keyof SnapshotTables].values()] as unknown as Row[];
  }
  return refuse();
}

function meets(row: Row, where: Where): boolean {
  // Fragments of SQL stand under symbols.
  if (Object.getOwnPropertySymbols(where).length > 0) refuse();
  return Object.entries(where).every(([name, wanted]) => {
    if (name === "$or") return (wanted as Where[]).some((one) => meets(row, one));
    if (name === "$and") return (wanted as Where[]).every((one) => meets(row, one));
    if (!(name in row)) refuse();
    const value = row[name] ?? null;
    if (wanted === null || typeof wanted !== "object" || wanted instanceof Date) {
      return compare(value, wanted ?? null) === 0;
    }
    return Object.entries(wanted).every(([operator, operand]) => {
      const known = operators[operator];
      return known ? known(value, operand) : refuse();
    });
  });
}

const operators: Readonly<Record<string, (value: unknown, operand: unknown) => boolean>> = {
  $eq: (value, operand) => compare(value, operand) === 0,
  $ne: (value, operand) => compare(value, operand) !== 0,
  $in: (value, operand) => (operand as unknown[]).some((one) => compare(value, one) === 0),
  $nin: (value, operand) => !(operand as unknown[]).some((one) => compare(value, one) === 0),
  $lt: (value, operand) => value !== null && compare(value, operand) < 0,
  $lte: (value, operand) => value !== null && compare(value, operand) <= 0,
  $gt: (value, operand) => value !== null && compare(value, operand) > 0,
  $gte: (value, operand) => value !== null && compare(value, operand) >= 0,
};

/** Moments by their time, everything else as it is; what is not there comes last. */
function compare(one: unknown, other: unknown): number {
  const [a, b] = [one, other].map((value) => value instanceof Date ? value.getTime() : value) as [
    string,
    string,
  ];
  if (a === b) return 0;
  if (a === null || b === null) return a === null ? 1 : -1;
  return a < b ? -1 : 1;
}

function refuse(): never {
  throw new GatewayError("DATABASE_UNAVAILABLE", "Cannot reach the database");
}
