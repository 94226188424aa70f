import { goto } from "$app/navigation";

interface Address {
  readonly pathname: string;
  readonly search: string;
}

/** Query members to change; undefined and "" leave a member out, a list writes it as often as needed. */
export type QueryChanges = Readonly<Record<string, string | readonly string[] | undefined>>;

/** The same page with other query members. */
export function withQuery(url: Address, changes: QueryChanges): string {
  const query = new URLSearchParams(url.search);
  for (const [name, value] of Object.entries(changes)) {
    query.delete(name);
    for (const each of Array.isArray(value) ? value : [value]) if (each) query.append(name, each);
  }
  const text = query.toString();
  return url.pathname + (text ? `?${text}` : "");
}

/** Where the last change is still on its way to: the next one builds on it. */
let onItsWay: URL | undefined;

/** Puts part of the view into the address, without a step in the history and without moving anything. */
export function keepInAddress(changes: QueryChanges): void {
  const from = onItsWay?.pathname === location.pathname ? onItsWay : location;
  const target = new URL(withQuery(from, changes), location.origin);
  const arrived = () => {
    if (onItsWay === target) onItsWay = undefined;
  };
  onItsWay = target;
  goto(target, { replace: true, reset: false }).then(arrived, arrived);
}
