import type { Operation } from "../contract/call.ts";
import type { RequestFacts } from "../contract/dialect.ts";
import type { JsonObject } from "../contract/json.ts";

/** How a dialect reads each fact of a body. */
export type FactReaders = {
  readonly [Fact in Exclude<keyof RequestFacts, "stream">]: (
    body: JsonObject,
    operation: Operation,
  ) => RequestFacts[Fact];
};

/** Facts of a request, each read when it is asked for; messages and tokens, which cost most, at most once. */
export function lazyFacts(
  body: JsonObject,
  operation: Operation,
  readers: FactReaders,
): RequestFacts {
  return new LazyFacts(body, operation, readers);
}

/** A class, because an object literal with accessors costs a microsecond each time it is made. */
class LazyFacts implements RequestFacts {
  readonly #body: JsonObject;
  readonly #operation: Operation;
  readonly #readers: FactReaders;
  #messages: RequestFacts["messages"] | undefined;
  #inputTokens: number | undefined;

  constructor(body: JsonObject, operation: Operation, readers: FactReaders) {
    this.#body = body;
    this.#operation = operation;
    this.#readers = readers;
  }

  get stream() {
    return this.#body["stream"] === true;
  }

  get messages() {
    return this.#messages ??= this.#readers.messages(this.#body, this.#operation);
  }

  get system() {
    return this.#readers.system(this.#body, this.#operation);
  }

  get toolsCount() {
    return this.#readers.toolsCount(this.#body, this.#operation);
  }

  get hasImages() {
    return this.#readers.hasImages(this.#body, this.#operation);
  }

  get hasFiles() {
    return this.#readers.hasFiles(this.#body, this.#operation);
  }

  get inputTokens() {
    return this.#inputTokens ??= this.#readers.inputTokens(this.#body, this.#operation);
  }

  get maxOutputTokens() {
    return this.#readers.maxOutputTokens(this.#body, this.#operation);
  }
}
