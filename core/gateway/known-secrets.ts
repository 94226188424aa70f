import type { Clock } from "../contract/index.ts";
import { secretForms } from "./redact.ts";

/** The secrets a process has at hand, and those it had until lately. */
export interface KnownSecrets {
  /** Replaces the secrets of one source, such as the configuration or a plugin. */
  use(source: string, secrets: Iterable<string>): void;
  /**
   * What to take out of texts, the longest first: a secret may begin with another. The same list as long as nothing
   * changes.
   */
  values(): readonly string[];
}

/** Calls go on with the credentials they began with, and answers are written down a while after they ended. */
const retiredMs = 3_600_000;
/** Forms that are kept of secrets that are no longer in force; the oldest give way. */
const mostRetired = 2_000;

/** Creates the set; it is empty. */
export function createKnownSecrets(clock: Pick<Clock, "monotonic">): KnownSecrets {
  const sources = new Map<string, ReadonlySet<string>>();
  /** Forms by when they are forgotten, the next one first. */
  const retired = new Map<string, number>();
  let values: readonly string[] = [];
  let isChanged = false;
  let forgetAt = Infinity;

  function renew(): void {
    const inForce = new Set([...sources.values()].flatMap((forms) => [...forms]));
    for (const [form, until] of retired) {
      if (until <= clock.monotonic() || inForce.has(form)) retired.delete(form);
    }
    forgetAt = retired.values().next().value ?? Infinity;
    values = [...inForce, ...retired.keys()].sort((one, other) => other.length - one.length);
    isChanged = false;
  }

  return {
    use(source, secrets) {
      const forms = secretForms(secrets);
      const until = clock.monotonic() + retiredMs;
      for (const form of sources.get(source) ?? []) {
        if (forms.has(form)) continue;
        // Taken out and put back: the map keeps the order of time.
        retired.delete(form);
        retired.set(form, until);
        if (retired.size > mostRetired) retired.delete(retired.keys().next().value!);
      }
      sources.set(source, forms);
      isChanged = true;
    },
    values() {
      if (isChanged || clock.monotonic() >= forgetAt) renew();
      return values;
    },
  };
}
