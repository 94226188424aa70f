import { nearest } from "@vmx/core/kit";

/** Why an expression is refused, and where: the position counts characters from 0. */
export class ExpressionFault extends Error {
  override readonly name = "ExpressionFault";
  readonly position: number | undefined;

  constructor(reason: string, position?: number) {
    super(position === undefined ? reason : `${reason} at position ${position}`);
    this.position = position;
  }
}

/** What was probably meant by a name nothing has, in brackets; empty when nothing is near. */
export function hint(name: string, known: readonly string[]): string {
  const meant = nearest(name.slice(0, 100), known);
  return meant === undefined ? "" : ` (did you mean ${meant}?)`;
}

/** A piece of an expression as messages show it: in quotes and cut to 40 characters. */
export function quoted(piece: unknown): string {
  const text = String(piece);
  return `"${text.length > 40 ? `${text.slice(0, 39)}…` : text}"`;
}
