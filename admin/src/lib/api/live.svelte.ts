/** What the live indicator shows. */
export type LiveState = "off" | "live" | "paused" | "reconnecting";

/** How a page follows a stream of events. */
export interface LiveOptions {
  /** Names of the events to hear. */
  readonly events: readonly string[];
  /** Gets what has arrived, at most four times a second. */
  readonly receive: (events: readonly LiveEvent[]) => void;
}

/** One event, its data read as JSON. */
export interface LiveEvent {
  readonly name: string;
  readonly id: string;
  readonly data: unknown;
}

const paintMs = 250;

/**
 * The one event stream of a page. "Paused", chosen by the user or because nobody looks at the tab, closes the
 * connection; resuming opens a new one that begins where the last one ended.
 */
class Live {
  state: LiveState = $state("off");
  #wanted: { readonly url: string; readonly options: LiveOptions } | undefined;
  #source: EventSource | undefined;
  #lastId = "";
  #pausedByUser = false;
  #arrived: LiveEvent[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * Follows a stream until the returned function is called, as from an effect.
   *
   * @example $effect(() => live.follow(`${scope.apiPath}/audit/stream`, { events: ["row"], receive }));
   */
  follow(url: string, options: LiveOptions): () => void {
    this.#close();
    this.#wanted = { url, options };
    this.#lastId = "";
    const look = () => this.#update();
    document.addEventListener("visibilitychange", look);
    this.#update();
    return () => {
      document.removeEventListener("visibilitychange", look);
      this.#close();
      this.#wanted = undefined;
      this.state = "off";
    };
  }

  /** Pauses, or goes on. */
  toggle(): void {
    this.#pausedByUser = !this.#pausedByUser;
    this.#update();
  }

  #update(): void {
    if (!this.#wanted) return;
    if (this.#pausedByUser || document.hidden) {
      this.#close();
      this.state = "paused";
    } else if (!this.#source) this.#open(this.#wanted.url, this.#wanted.options);
  }

  #open(url: string, { events, receive }: LiveOptions): void {
    const address = new URL(url, location.origin);
    if (this.#lastId) address.searchParams.set("lastEventId", this.#lastId);
    const source = new EventSource(address);
    this.#source = source;
    this.state = "reconnecting";
    source.onopen = () => this.state = "live";
    source.onerror = () => {
      this.state = "reconnecting";
      // The browser gives up for good after an answer that is no stream.
      if (source.readyState === EventSource.CLOSED) {
        this.#close();
        this.#timer = setTimeout(() => this.#update(), 5_000);
      }
    };
    for (const name of events) {
      source.addEventListener(name, ({ data, lastEventId }: MessageEvent<string>) => {
        this.#lastId = lastEventId;
        this.#arrived.push({ name, id: lastEventId, data: parse(data) });
        this.#timer ??= setTimeout(() => {
          this.#timer = undefined;
          receive(this.#arrived.splice(0));
        }, paintMs);
      });
    }
  }

  #close(): void {
    this.#source?.close();
    this.#source = undefined;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}

/** The live data of this page. */
export const live = new Live();

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
