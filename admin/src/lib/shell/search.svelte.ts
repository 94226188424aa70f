import { page } from "$app/state";
import { keepInAddress } from "./address.ts";

/** What somebody filters a list by. While they type, the field is right and the address follows. */
export class SearchText {
  #typed: string | undefined = $state(undefined);

  get text(): string {
    return this.#typed ?? page.url.searchParams.get("q") ?? "";
  }

  type(text: string): void {
    this.#typed = text;
    keepInAddress({ q: text });
  }

  /** The field is left: from now on the address is right. */
  leave(): void {
    this.#typed = undefined;
  }
}
