/** A short message about something that has been done. */
export interface Toast {
  readonly id: number;
  readonly kind: "good" | "bad" | "info";
  readonly text: string;
}

/** Messages on the screen; failures stay until they are closed. */
class Toasts {
  list: readonly Toast[] = $state.raw([]);
  #next = 1;

  say(text: string, kind: Toast["kind"] = "good"): void {
    const toast = { id: this.#next++, kind, text };
    this.list = [...this.list.slice(-3), toast];
    if (kind !== "bad") setTimeout(() => this.close(toast.id), 5_000);
  }

  close(id: number): void {
    this.list = this.list.filter((toast) => toast.id !== id);
  }
}

/** The messages of this page. */
export const toasts = new Toasts();
