/** How the theme is chosen. */
export type Theme = "system" | "light" | "dark";

/** What this browser remembers of its user; nothing of it matters to anybody else. */
class Preferences {
  theme: Theme = $state(themeFrom(read("theme")));
  /** Absolute times in UTC. */
  utc = $state(read("utc") === "yes");
  /** Whether single letters are shortcuts. */
  letters = $state(read("letters") !== "no");
  /** Rows closer together. */
  dense = $state(read("dense") === "yes");

  setTheme(theme: Theme): void {
    this.theme = theme;
    write("theme", theme);
    if (theme === "system") delete document.documentElement.dataset["theme"];
    else document.documentElement.dataset["theme"] = theme;
  }

  setUtc(utc: boolean): void {
    this.utc = utc;
    write("utc", utc ? "yes" : "no");
  }

  setLetters(letters: boolean): void {
    this.letters = letters;
    write("letters", letters ? "yes" : "no");
  }

  setDense(dense: boolean): void {
    this.dense = dense;
    write("dense", dense ? "yes" : "no");
  }
}

/** The one set of preferences of this browser. */
export const preferences = new Preferences();

/** Reads something this browser remembers; undefined also where storage is blocked. */
export function read(name: string): string | undefined {
  try {
    return localStorage.getItem(`vmx.${name}`) ?? undefined;
  } catch {
    return undefined;
  }
}

/** Has this browser remember something, where it may. */
export function write(name: string, value: string): void {
  try {
    localStorage.setItem(`vmx.${name}`, value);
  } catch {
    // Without storage the choice lasts as long as the page.
  }
}

function themeFrom(text: string | undefined): Theme {
  return text === "light" || text === "dark" ? text : "system";
}
