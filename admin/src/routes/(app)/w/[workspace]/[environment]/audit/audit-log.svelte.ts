import type { AuditLiveEvent, AuditRow, ServerEvent } from "@vmx/sdk";

/** A row of the audit; while its request runs it has no status. */
export type LogRow = Omit<AuditRow, "status"> & { readonly status: AuditRow["status"] | null };

const mostRows = 2_000;

/** The rows on the screen: pages that were read and rows that arrived, each request once, newest first. */
export class AuditLog {
  rows: readonly LogRow[] = $state.raw([]);
  /** Arrived while somebody read further down; shown when they ask. */
  waiting: readonly LogRow[] = $state.raw([]);
  /** Rows that were only counted because too many came at once. */
  skipped = $state(0);
  nextCursor: string | null = $state(null);
  /** Whether rows wait instead of pushing the others down. */
  holding = false;

  /** Takes the first page: what runs still and what is newer stays. */
  begin(page: { readonly data: readonly AuditRow[]; readonly nextCursor: string | null }): void {
    this.nextCursor ??= page.nextCursor;
    this.#merge(page.data);
  }

  /** Takes a further page. */
  extend(page: { readonly data: readonly AuditRow[]; readonly nextCursor: string | null }): void {
    this.nextCursor = page.nextCursor;
    this.#merge(page.data);
  }

  /**
   * Takes live events.
   *
   * @returns whether something was missed, so that the list has to be read again
   */
  receive(events: readonly ServerEvent<AuditLiveEvent>[]): boolean {
    const arrived: LogRow[] = [];
    let missed = false;
    for (const { event, data } of events) {
      if (data.row) arrived.push(data.row as LogRow);
      if (data.counts) this.skipped += data.counts.finished;
      missed ||= event === "gap" || data.counts !== undefined;
    }
    const known = new Set(this.rows.map(({ requestId }) => requestId));
    const isNew = ({ requestId }: LogRow) => !known.has(requestId);
    if (!this.holding) this.#merge(arrived);
    else {
      this.#merge(arrived.filter((row) => !isNew(row)));
      this.waiting = newestFirst([...this.waiting, ...arrived.filter(isNew)]);
    }
    return missed;
  }

  /** Shows what waits. */
  release(): void {
    this.holding = false;
    this.#merge(this.waiting);
    this.waiting = [];
    this.skipped = 0;
  }

  #merge(rows: readonly LogRow[]): void {
    if (rows.length > 0) this.rows = newestFirst([...this.rows, ...rows]).slice(0, mostRows);
  }
}

/** One row for each request, the one that tells most; ids rise with time. */
function newestFirst(rows: readonly LogRow[]): LogRow[] {
  const byId = new Map<string, LogRow>();
  for (const row of rows) {
    const known = byId.get(row.requestId);
    // Events of two connections may overtake each other: what has ended does not run again.
    if (!known || known.status === null || row.status !== null) byId.set(row.requestId, row);
  }
  return [...byId.values()].sort((a, b) => a.requestId < b.requestId ? 1 : -1);
}
