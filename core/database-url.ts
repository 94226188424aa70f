import type { Rule } from "./setting-reader.ts";

/**
 * The URL of a PostgreSQL. One whose user or password holds a bare delimiter reads as another address, with a part of
 * the password as its host or path: it is refused here, before anybody prints that.
 */
export const databaseUrl: Rule<string> = {
  words: "a PostgreSQL URL, with / ? # @ and % in user and password percent-encoded",
  example: "postgres://user:password@host:5432/name",
  parse(text) {
    const url = URL.parse(text);
    if (url?.protocol !== "postgres:" && url?.protocol !== "postgresql:") return undefined;
    if (/[\s#]/.test(text) || !url.href.includes("://")) return undefined;
    if ([url.username, url.password, url.pathname].some((part) => !isDecodable(part))) {
      return undefined;
    }
    const hasUser = url.username !== "" || url.password !== "";
    const isSplit = url.pathname.includes("@") || /^\?[^=]*@/.test(url.search);
    return isSplit && !hasUser ? undefined : text;
  },
};

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}
