import { goto } from "$app/navigation";
import { preferences } from "./preferences.svelte.ts";
import type { PlaceGroup } from "./navigation.ts";

/** What the keys reach. */
export interface ShortcutParts {
  readonly places: () => readonly PlaceGroup[];
  readonly openPalette: () => void;
  readonly openSheet: () => void;
  readonly toggleTheme: () => void;
  readonly toggleLive: () => void;
}

/** Keys everywhere, as the sheet lists them. */
export const shortcutSheet: readonly (readonly [keys: string, what: string])[] = [
  ["Ctrl K", "Command palette (⌘ K on a Mac)"],
  [
    "g, then a letter",
    "Go to a page: o overview, r resources, c connections, k keys, p playground, a audit, u usage, l capacity limits",
  ],
  ["/", "Filter the list"],
  ["j, k", "Next, previous row"],
  ["Enter", "Open the row"],
  ["[, ]", "Newer, older request while one is open"],
  ["n", "New object on this page"],
  ["e", "Edit"],
  ["Ctrl S", "Save"],
  ["Ctrl Enter", "Run the playground or a test"],
  ["l", "Pause or resume live data"],
  ["t", "Light, dark, system theme"],
  ["?", "This list"],
  ["Esc", "Close what is open"],
];

/** Listens to keys. Single letters can be switched off and never fire while somebody types. */
export function createShortcuts(parts: ShortcutParts): (event: KeyboardEvent) => void {
  let afterG = -Infinity;
  return (event) => {
    if ((event.metaKey || event.ctrlKey) && event.key.toLowerCase() === "k") {
      event.preventDefault();
      return parts.openPalette();
    }
    if (event.metaKey || event.ctrlKey || event.altKey || isTyping(event.target)) return;
    if (!preferences.letters || document.querySelector("dialog[open]")) return;
    if (event.timeStamp - afterG < 1_500) {
      afterG = -Infinity;
      const place = parts.places().flatMap(({ places }) => places)
        .find(({ letter }) => letter === event.key);
      if (place) {
        event.preventDefault();
        return void goto(place.href);
      }
    }
    const action = {
      g: () => afterG = event.timeStamp,
      "?": parts.openSheet,
      "/": () => document.querySelector<HTMLElement>("[data-filter]")?.focus(),
      j: () => walkRows(1),
      k: () => walkRows(-1),
      n: () => document.querySelector<HTMLElement>("[data-new]")?.click(),
      e: () => document.querySelector<HTMLElement>("main form .input, main .input")?.focus(),
      l: parts.toggleLive,
      t: parts.toggleTheme,
    }[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  };
}

function walkRows(step: number): void {
  document.querySelector("[data-rows]")?.dispatchEvent(new CustomEvent("walk", { detail: step }));
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement &&
    (target.isContentEditable ||
      target.closest("input, textarea, select, [role=textbox]") !== null ||
      target.shadowRoot !== null);
}
