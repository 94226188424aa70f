import { VmxError } from "@vmx/sdk";
import { leaveWhenSignedOut, messageOf } from "#lib/api/query.svelte.ts";

/** What somebody fills in: the value, what was saved last, and what the gateway says about it. */
export class Form<T> {
  value: T = $state()!;
  busy = $state(false);
  /** Why the last attempt failed; undefined after a success. */
  failure: unknown = $state.raw(undefined);
  /** Faults by JSON pointer, such as `/config/apiKey`. */
  faults: Readonly<Record<string, string>> = $state.raw({});
  #saved: string = $state("");

  constructor(value: T) {
    this.value = value;
    this.#saved = JSON.stringify(value);
  }

  /** Whether something is not saved. */
  get dirty(): boolean {
    return JSON.stringify(this.value) !== this.#saved;
  }

  /** The saved value, for telling what has changed. */
  get saved(): T {
    return JSON.parse(this.#saved) as T;
  }

  /** Starts anew with a value that counts as saved. */
  reset(value: T = this.saved): void {
    this.value = value;
    this.#saved = JSON.stringify(value);
    this.failure = undefined;
    this.faults = {};
  }

  /** The fault at a pointer, or at the first one below it. */
  fault(pointer: string): string | undefined {
    if (this.faults[pointer] !== undefined) return this.faults[pointer];
    const below = Object.keys(this.faults).find((each) => each.startsWith(`${pointer}/`));
    return below === undefined ? undefined : this.faults[below];
  }

  /**
   * Sends the form. Faults of fields land on the fields.
   *
   * @returns the answer; undefined when it failed, with `failure` telling why
   */
  async send<R>(action: (value: T) => PromiseLike<R>): Promise<R | undefined> {
    if (this.busy) return undefined;
    this.busy = true;
    this.failure = undefined;
    this.faults = {};
    try {
      const answer = await action($state.snapshot(this.value) as T);
      this.#saved = JSON.stringify(this.value);
      return answer;
    } catch (error) {
      leaveWhenSignedOut(error);
      this.failure = error;
      if (error instanceof VmxError) {
        this.faults = Object.fromEntries(
          error.faults.map(({ path, message }) => [path ?? "", message]),
        );
      }
      return undefined;
    } finally {
      this.busy = false;
    }
  }

  /** The failure as text for people. */
  get message(): string | undefined {
    return this.failure === undefined ? undefined : messageOf(this.failure);
  }

  /** Whether somebody else changed the object since it was read. */
  get conflict(): boolean {
    return this.failure instanceof VmxError && this.failure.code === "VERSION_MISMATCH";
  }
}

/** The members of `next` that differ from `before`: what a merge patch has to carry. */
export function changedMembers<T extends object>(before: T, next: T): Partial<T> {
  const changed: Partial<T> = {};
  for (const name of Object.keys(next) as (keyof T)[]) {
    if (JSON.stringify(before[name]) !== JSON.stringify(next[name])) changed[name] = next[name];
  }
  return changed;
}
