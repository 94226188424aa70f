const text = "[secret]";

/** A value that must not be seen: it prints, serialises and inspects as `[secret]`. Read it with `reveal()`. */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The value itself. Call it only where the value is put on the wire or into a cipher. */
  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return text;
  }

  toJSON(): string {
    return text;
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return text;
  }

  [Symbol.for("Deno.customInspect")](): string {
    return text;
  }
}
