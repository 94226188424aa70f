/** What an answer said beside its body. */
export interface AnswerHead {
  readonly status: number;
  readonly headers: Headers;
  /** Id under which the gateway's log and audit know the request. */
  readonly requestId: string | undefined;
  /** Configuration revision the answering process serves. */
  readonly revision: number | undefined;
  /** Version of the object, to be given as `ifMatch`. */
  readonly etag: string | undefined;
  /** Whether this is the stored answer to an earlier request with the same idempotency key. */
  readonly replayed: boolean;
}

/** An answer, read. */
export interface Answer<T> extends AnswerHead {
  readonly data: T;
}

/**
 * A call under way: awaiting it gives the body. It starts at once, and rejects with a `VmxError`.
 *
 * @example
 * const { data, etag } = await vmx.aiResources.get("chat").withResponse();
 */
export class ApiCall<T> extends Promise<T> {
  readonly #answer: Promise<Answer<T>>;

  constructor(answer: Promise<Answer<T>>) {
    super((resolve) => resolve(undefined as T));
    this.#answer = answer;
  }

  // Derived promises are plain ones: they have no answer of their own.
  static override get [Symbol.species](): PromiseConstructor {
    return Promise;
  }

  override then<Done = T, Failed = never>(
    onDone?: ((value: T) => Done | PromiseLike<Done>) | null,
    onFailed?: ((reason: unknown) => Failed | PromiseLike<Failed>) | null,
  ): Promise<Done | Failed> {
    return this.#answer.then(({ data }) => data).then(onDone, onFailed);
  }

  /** The body together with status, headers, request id and version. */
  withResponse(): Promise<Answer<T>> {
    return this.#answer;
  }
}

/** Reads the head of a response. */
export function headOf({ status, headers }: Response): AnswerHead {
  const revision = headers.get("x-vmx-revision");
  return {
    status,
    headers,
    requestId: headers.get("x-vmx-request-id") ?? undefined,
    revision: revision === null ? undefined : Number(revision),
    etag: headers.get("etag") ?? undefined,
    replayed: headers.get("idempotency-replayed") === "true",
  };
}
