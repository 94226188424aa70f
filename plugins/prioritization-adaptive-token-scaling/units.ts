/** One percent of a connection in the units shares are stored in. */
export const onePoint = 1000;

/** A whole connection in the units shares are stored in. */
export const wholeConnection = 100 * onePoint;

/** A share as people read it, such as `20.4`. */
export function points(units: number): string {
  return String(units / onePoint);
}

/** A number of tokens as people read it, such as `45 000`. */
export function tokens(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, " ");
}
