import type { PoolBounds, PoolGate } from "../contract/index.ts";
import { calendarWindow } from "../kit/calendar-window.ts";
import { passPoolGate, type PoolPassage } from "../kit/pool-gate.ts";

/** Shares of a connection's pools, in units of 0.001 percent, as some recomputation left them. */
export type KnownShares = readonly { readonly name: string; readonly current: number }[];

/** Keeps the pool gate while the store is away. */
export interface LocalPools {
  /**
   * Applies the gate's rules to `tokens` more.
   *
   * @param gate with the limit of this process
   * @param total tokens of the connection this process counts in this minute
   */
  pass(
    gate: PoolGate,
    tokens: number,
    total: number,
    known: KnownShares | undefined,
  ): PoolPassage & {
    /** Takes the tokens; answers how to correct them. */
    take(): (change: number) => void;
  };
}

interface Book {
  readonly known: KnownShares | undefined;
  readonly shares: Map<string, number>;
  windowStart: number;
  used: Map<string, number>;
}

/** Connections kept at most; those that came first give way. */
const mostConnections = 1_000;

/**
 * Creates an empty book. Shares begin where the process knew them last, or at the minimums, and are recomputed by
 * nobody; what was free is lent to whoever needs it. When the store is back, its own shares hold as they were.
 *
 * @param now Unix milliseconds of this process, which stands in for the store's clock
 */
export function createLocalPools(now: () => number): LocalPools {
  const books = new Map<string, Book>();

  function bookOf(connectionId: string, known: KnownShares | undefined): Book {
    const { start } = calendarWindow("minute", now());
    let book = books.get(connectionId);
    // Newer shares have been heard of: the store was there in the meantime.
    if (!book || book.known !== known) {
      const shares = new Map(known?.map(({ name, current }) => [name, current]));
      book = { known, shares, windowStart: start, used: new Map() };
      books.delete(connectionId);
      if (books.size >= mostConnections) books.delete(books.keys().next().value!);
      books.set(connectionId, book);
    }
    if (book.windowStart !== start) Object.assign(book, { windowStart: start, used: new Map() });
    return book;
  }

  return {
    pass(gate, tokens, total, known) {
      const { shares, used } = bookOf(gate.connectionId, known);
      const currentOf = ({ name, min, max }: PoolBounds) =>
        Math.min(max, Math.max(min, shares.get(name) ?? min));
      const usedBy = (name: string) => used.get(name) ?? 0;
      const passage = passPoolGate(gate, tokens, { total, usedBy, currentOf });
      return {
        ...passage,
        take() {
          const { pool } = gate;
          if (pool === undefined) return () => {};
          const count = (change: number) => void used.set(pool, Math.max(0, usedBy(pool) + change));
          if (passage.refused.length === 0) shares.set(pool, passage.next);
          count(tokens);
          return count;
        },
      };
    },
  };
}
