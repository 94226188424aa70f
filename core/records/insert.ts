import { isDatabaseUnavailable } from "../store/database-error.ts";
import type { Query, Statements } from "../store/statements.ts";
import { insertAuditSql } from "./audit-columns.ts";
import { jsonArray } from "./json-array.ts";
import type { ClassDay, Partitions, RetentionKind } from "./partitions.ts";
import type { AuditRecord } from "./record.ts";
import type { RetentionClass } from "./retention-class.ts";
import { timeOf } from "./spool/spool.ts";

/** One record on its way into the database. */
export interface Shipment {
  readonly requestId: string;
  /** The record as JSON, UTF-8. */
  readonly row: Buffer;
  readonly payload?: {
    readonly encoding: string;
    readonly bytes: Buffer | null;
    readonly state: Readonly<Record<string, string>>;
  };
}

/** Records that are being inserted, for those who insert something of their own in the same transaction. */
export interface RecordBatch {
  readonly records: () => readonly AuditRecord[];
}

/**
 * Inserts what else belongs to a batch of records, in the same transaction. A batch can come twice, after a failure
 * nobody saw the end of: it must insert what is there already only once.
 */
export type BatchWriter = (query: Query, batch: RecordBatch) => Promise<void>;

/** Inserts records; answers how many the database would not have at all. Rejects while the database is away. */
export type InsertRecords = (shipments: readonly Shipment[]) => Promise<number>;

/** Prepares inserting. `rejected` is told of each record that cannot be stored, whatever is tried. */
export function createInsert(
  statements: Statements,
  partitions: Partitions,
  writers: readonly BatchWriter[],
  rejected: (requestId: string, error: unknown) => void,
): InsertRecords {
  const { schema } = statements;
  const insertRows = insertAuditSql(schema);
  // The bodies come as one value: elements of an array would travel as text, at twice their size.
  const insertPayloads = `insert into ${schema}.audit_payloads
    (audit_class, timestamp, request_id, encoding, state, body)
    select audit_class, timestamp, request_id, encoding, state, substring($8::bytea from start for length)
    from unnest($1::smallint[], $2::timestamptz[], $3::uuid[], $4::text[], $5::jsonb[], $6::int[], $7::int[])
      as p(audit_class, timestamp, request_id, encoding, state, start, length)
    on conflict do nothing`;

  return async function insert(shipments): Promise<number> {
    if (shipments.length === 0) return 0;
    try {
      await insertAll(shipments);
      return 0;
    } catch (error) {
      if (isDatabaseUnavailable(error)) throw error;
      // One record the database refuses must not keep the others out.
      if (shipments.length > 1) {
        const middle = shipments.length >> 1;
        return await insert(shipments.slice(0, middle)) + await insert(shipments.slice(middle));
      }
      rejected(shipments[0]!.requestId, error);
      return 1;
    }
  };

  async function insertAll(shipments: readonly Shipment[]): Promise<void> {
    let parsed: AuditRecord[] | undefined;
    const records = () =>
      parsed ??= shipments.map(({ row }) => JSON.parse(row.toString("utf8")) as AuditRecord);
    await partitions.ensure(shipments.flatMap(daysOf));
    await statements.transaction(async (query) => {
      await query(insertRows, [jsonArray(shipments.map(({ row }) => row))], "insert audit");
      const withPayload = shipments.filter(({ payload }) => payload);
      if (withPayload.length > 0) {
        await query(insertPayloads, payloadColumns(withPayload), "insert payloads");
      }
      for (const write of writers) await write(query, { records });
    });
  }
}

function payloadColumns(shipments: readonly Shipment[]): unknown[] {
  const bodies = shipments.flatMap(({ payload }) => payload!.bytes ?? []);
  let end = 1;
  const starts = shipments.map(({ payload }) => {
    const start = end;
    end += payload!.bytes?.length ?? 0;
    return start;
  });
  return [
    shipments.map(({ row }) => classOf(row, "audit")),
    shipments.map(({ requestId }) => new Date(timeOf(requestId)).toISOString()),
    shipments.map(({ requestId }) => requestId),
    shipments.map(({ payload }) => payload!.encoding),
    shipments.map(({ payload }) => JSON.stringify(payload!.state)),
    starts,
    shipments.map(({ payload }) => payload!.bytes?.length ?? null),
    Buffer.concat(bodies),
  ];
}

function daysOf({ row, requestId }: Shipment): ClassDay[] {
  const at = timeOf(requestId);
  return (["audit", "usage"] as const).map((kind) => ({
    kind,
    retentionClass: classOf(row, kind),
    at,
  }));
}

/** Reads a class out of the text: parsing whole records for two numbers would cost more than all the rest. */
function classOf(row: Buffer, kind: RetentionKind): RetentionClass {
  const member = `"${kind}Class":`;
  const at = row.indexOf(member) + member.length;
  return Number.parseInt(row.toString("latin1", at, at + 5), 10) as RetentionClass;
}
