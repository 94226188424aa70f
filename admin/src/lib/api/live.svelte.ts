import type { EventOptions, ServerEvent } from "@vmx/sdk";

/** What the live indicator shows. */
export type LiveState = "off" | "live" | "paused" | "reconnecting" | "refused";

/** Opens a stream, as the methods of the SDK that follow events do. */
export type OpenEvents<Data> = (options: EventOptions) => AsyncIterable<ServerEvent<Data>>;

const paintMs = 250;

/**
 * The one event stream of a page. "Paused", chosen by the user or because nobody looks at the tab, closes the
 * connection; resuming opens a new one that goes on where the last one ended.
 */
class Live {
  state: LiveState = $state("off");
  #open: ((options: EventOptions) => Promise<void>) | undefined;
  #connection: AbortController | undefined;
  #lastEventId: string | undefined;
  #pausedByUser = false;

  /**
   * Follows a stream until the returned function is called.
   *
   * @param receive gets what has arrived, at most four times a second
   * @example
   * $effect(() => live.follow((options) => scope.api.audit.stream({}, options), (events) => …));
   */
  follow<Data>(
    open: OpenEvents<Data>,
    receive: (events: readonly ServerEvent<Data>[]) => void,
  ): () => void {
    this.#close();
    this.#lastEventId = undefined;
    this.#pausedByUser = false;
    let arrived: ServerEvent<Data>[] = [];
    let timer: ReturnType<typeof setTimeout> | undefined;
    const paint = () => {
      timer = undefined;
      const events = arrived;
      arrived = [];
      receive(events);
    };
    this.#open = async (options) => {
      for await (const event of open(options)) {
        this.#lastEventId = event.id ?? this.#lastEventId;
        arrived.push(event);
        timer ??= setTimeout(paint, paintMs);
      }
    };
    const look = () => this.#update();
    document.addEventListener("visibilitychange", look);
    this.#update();
    return () => {
      document.removeEventListener("visibilitychange", look);
      clearTimeout(timer);
      this.#close();
      this.#open = undefined;
      this.state = "off";
    };
  }

  /** Pauses, or goes on. */
  toggle(): void {
    this.#pausedByUser = !this.#pausedByUser;
    this.#update();
  }

  #update(): void {
    if (!this.#open) return;
    if (this.#pausedByUser || document.hidden) {
      this.#close();
      this.state = "paused";
      return;
    }
    if (this.#connection) return;
    const connection = new AbortController();
    this.#connection = connection;
    this.state = "reconnecting";
    this.#open({
      signal: connection.signal,
      lastEventId: this.#lastEventId,
      onState: (state) => {
        if (this.#connection === connection) this.state = state;
      },
    }).catch(() => {
      // What the gateway refuses it refuses again: the page goes on without.
      if (this.#connection === connection) this.state = "refused";
    });
  }

  #close(): void {
    this.#connection?.abort();
    this.#connection = undefined;
  }
}

/** The live data of this page. */
export const live = new Live();
