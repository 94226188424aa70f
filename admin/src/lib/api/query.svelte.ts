import { goto } from "$app/navigation";
import { AuthenticationError, VmxError } from "@vmx/sdk";
import { session } from "./session.svelte.ts";

/** Something a screen reads from the gateway: what is known of it, and what is being done about it. */
export class Query<T> {
  /** The last answer; stays while a newer one is on its way. */
  data: T | undefined = $state.raw(undefined);
  /** Why the last attempt failed; undefined after a success. */
  error: unknown = $state.raw(undefined);
  loading = $state(true);
  /** When `data` arrived, in milliseconds since 1970. */
  loadedAt: number | undefined = $state(undefined);

  readonly #read: () => PromiseLike<T>;
  #attempt = 0;

  constructor(read: () => PromiseLike<T>) {
    this.#read = read;
    void this.refresh();
  }

  /** Asks again. An older attempt that is still under way is ignored. */
  async refresh(): Promise<void> {
    const attempt = ++this.#attempt;
    this.loading = true;
    try {
      const data = await this.#read();
      if (attempt !== this.#attempt) return;
      this.data = data;
      this.error = undefined;
      this.loadedAt = Date.now();
    } catch (error) {
      if (attempt !== this.#attempt) return;
      this.error = error;
      leaveWhenSignedOut(error);
    } finally {
      if (attempt === this.#attempt) this.loading = false;
    }
  }

  /** Puts an answer in place that came another way, such as the one of a change. */
  set(data: T): void {
    this.#attempt++;
    this.data = data;
    this.error = undefined;
    this.loading = false;
    this.loadedAt = Date.now();
  }
}

/** Starts reading; for `load` functions, which return at once so that the page can show its skeleton. */
export function query<T>(read: () => PromiseLike<T>): Query<T> {
  return new Query(read);
}

let leaving = false;

/** A session that has ended leads to the sign-in page, and back here afterwards. */
export function leaveWhenSignedOut(error: unknown): void {
  if (!(error instanceof AuthenticationError) || leaving) return;
  // Who never was signed in is sent there by the page itself.
  if (session.answer === undefined || location.pathname === "/sign-in") return;
  const returnTo = location.pathname + location.search;
  session.forget();
  leaving = true;
  const left = () => void (leaving = false);
  goto(`/sign-in?${new URLSearchParams({ returnTo, ended: "1" })}`).then(left, left);
}

/** Text for people: what failed and why. */
export function messageOf(error: unknown): string {
  if (error instanceof VmxError) return error.problem?.detail || error.message;
  return error instanceof Error ? error.message : String(error);
}
