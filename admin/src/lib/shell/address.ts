import { goto } from "$app/navigation";

interface Address {
  readonly pathname: string;
  readonly search: string;
}

/** The same page with other query members; undefined and "" leave a member out. */
export function withQuery(
  url: Address,
  changes: Readonly<Record<string, string | undefined>>,
): string {
  const query = new URLSearchParams(url.search);
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined || value === "") query.delete(name);
    else query.set(name, value);
  }
  const text = query.toString();
  return url.pathname + (text ? `?${text}` : "");
}

/** Puts part of the view into the address, without a step in the history and without moving anything. */
export function keepInAddress(changes: Readonly<Record<string, string | undefined>>): void {
  void goto(withQuery(location, changes), { replace: true, reset: false });
}
