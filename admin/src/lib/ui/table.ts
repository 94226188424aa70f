import type { Snippet } from "svelte";

/** A column of a data table. */
export interface Column<T> {
  readonly id: string;
  readonly label: string;
  /** How a cell looks; the text of `value` without it. */
  readonly cell?: Snippet<[T]>;
  /** What is sorted by, and shown when there is no `cell`. Columns without it cannot be sorted. */
  readonly value?: (row: T) => string | number | null | undefined;
  /** The rows keep their order: `value` is only shown. */
  readonly fixed?: boolean;
  /** Numbers stand at the end. */
  readonly end?: boolean;
  /** Left out until somebody asks for it. */
  readonly hidden?: boolean;
  /** Cells are never broken into lines. */
  readonly compact?: boolean;
}
