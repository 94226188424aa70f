import type { Answer } from "./call.ts";

/** One page of a list. */
export interface Page<T> {
  readonly data: T[];
  /** Cursor of the next page; null at the end. */
  readonly nextCursor: string | null;
}

/**
 * A list of the API. Awaiting it gives one page; iterating gives every item and reads further pages as they are
 * needed. Nothing is sent before.
 *
 * @example
 * for await (const key of vmx.apiKeys.list({ label: "ci" })) console.log(key.name);
 * const { data, nextCursor } = await vmx.apiKeys.list({ limit: 20 });
 */
export class List<T> implements PromiseLike<Page<T>>, AsyncIterable<T> {
  readonly #fetch: (cursor: string | undefined) => Promise<Answer<Page<T>>>;

  constructor(fetchPage: (cursor: string | undefined) => Promise<Answer<Page<T>>>) {
    this.#fetch = fetchPage;
  }

  then<Done = Page<T>, Failed = never>(
    onDone?: ((page: Page<T>) => Done | PromiseLike<Done>) | null,
    onFailed?: ((reason: unknown) => Failed | PromiseLike<Failed>) | null,
  ): Promise<Done | Failed> {
    return this.#fetch(undefined).then(({ data }) => data).then(onDone, onFailed);
  }

  /** The first page together with status, headers and request id. */
  withResponse(): Promise<Answer<Page<T>>> {
    return this.#fetch(undefined);
  }

  /** Page after page. */
  async *pages(): AsyncGenerator<Page<T>, void, undefined> {
    let cursor: string | undefined;
    do {
      const { data: page } = await this.#fetch(cursor);
      yield page;
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    for await (const page of this.pages()) yield* page.data;
  }

  /** All items, or the first `limit` of them. */
  async toArray({ limit = Infinity }: { readonly limit?: number } = {}): Promise<T[]> {
    const items: T[] = [];
    if (limit <= 0) return items;
    for await (const item of this) {
      items.push(item);
      if (items.length >= limit) break;
    }
    return items;
  }
}
