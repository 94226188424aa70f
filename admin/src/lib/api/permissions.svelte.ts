import { SvelteMap } from "svelte/reactivity";
import { vmx } from "./vmx.ts";

/** What one may do, asked for in batches and kept until the session changes. */
class Permissions {
  readonly #known = new SvelteMap<string, boolean>();
  readonly #asked = new Set<string>();
  #waiting: { action: string; resource: string }[] = [];

  /**
   * Whether an action is allowed; true until the gateway has answered, which refuses what is not. Reading it in a
   * template is enough: the template follows the answer.
   *
   * @param action such as `ai-connection:create`
   * @param resource such as `workspace:main:environment:prod:ai-connection`
   */
  may(action: string, resource: string): boolean {
    const key = `${action} ${resource}`;
    const allowed = this.#known.get(key);
    if (allowed === undefined && !this.#asked.has(key)) {
      this.#asked.add(key);
      this.#waiting.push({ action, resource });
      if (this.#waiting.length === 1) queueMicrotask(() => void this.#ask());
    }
    return allowed ?? true;
  }

  forget(): void {
    this.#known.clear();
    this.#asked.clear();
  }

  async #ask(): Promise<void> {
    const pairs = this.#waiting;
    this.#waiting = [];
    for (let start = 0; start < pairs.length; start += 100) {
      const some = pairs.slice(start, start + 100);
      try {
        const { data } = await vmx.me.permissions({
          action: some.map(({ action }) => action),
          resource: some.map(({ resource }) => resource),
        });
        data.forEach(({ allowed }, index) => {
          const { action, resource } = some[index]!;
          this.#known.set(`${action} ${resource}`, allowed);
        });
      } catch {
        // Without an answer every button stays usable and the gateway decides.
        for (const { action, resource } of some) this.#asked.delete(`${action} ${resource}`);
      }
    }
  }
}

/** The rights of whoever is signed in. */
export const permissions = new Permissions();

/** A name as it stands in resource strings. */
export function segment(name: string): string {
  return name.replace(
    /[:*?%]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`,
  );
}
