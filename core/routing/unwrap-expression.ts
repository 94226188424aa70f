/**
 * Takes an expression out of the template marks it may be wrapped in as a whole: `<%= x %>` and `<% return x %>`.
 * Undefined when marks stand anywhere else: templates are never run.
 */
export function unwrapExpression(text: string): string | undefined {
  const wrapped = /^\s*<%(?:=|\s*return\s)(.*?)(?:;\s*)?%>\s*$/s.exec(text);
  const inner = (wrapped ? wrapped[1]! : text).trim();
  return inner.includes("<%") || inner.includes("%>") ? undefined : inner;
}
