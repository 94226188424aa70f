import { SvelteSet } from "svelte/reactivity";

/** Something the command palette can do or open. */
export interface Command {
  readonly label: string;
  /** Heading it stands under. */
  readonly group: string;
  /** A few faint words, such as the provider of a connection. */
  readonly note?: string;
  readonly href?: string;
  readonly run?: () => unknown;
  /** Keys that do the same, as shown. */
  readonly keys?: string;
}

/** A source of commands; asked whenever the palette is open, with what is typed into it. */
export type CommandSource = (typed: string) => readonly Command[];

const sources = new SvelteSet<CommandSource>();

/** Every command there is at the moment. */
export function allCommands(typed = ""): readonly Command[] {
  return [...sources].flatMap((source) => source(typed));
}

/**
 * Adds commands for as long as the calling component lives. Call it while the component is set up.
 *
 * @example provideCommands(() => [{ label: "New API key", group: "Actions", run: () => open = true }]);
 */
export function provideCommands(source: CommandSource): void {
  $effect(() => {
    sources.add(source);
    return () => void sources.delete(source);
  });
}
