/** A console session: who changes something shows the session's token. */
export interface Session {
  /** Headers a request of this method needs. */
  headers(method: string): Promise<Record<string, string>>;
  /** Learns from an answer: the token of a login, and the cookie where no browser keeps it. */
  learn(response: Response, body: unknown): void;
  /** Forgets the token, because it proved wrong. */
  forget(): void;
}

/**
 * Keeps the token of a console session. In a browser the cookie is the browser's business; elsewhere it is kept here.
 *
 * @param readToken asks the API for the token of the present session
 */
export function createSession(readToken: () => Promise<string>): Session {
  let csrfToken: string | undefined;
  let cookie: string | undefined;
  const browser = typeof document !== "undefined";

  return {
    async headers(method) {
      const own: Record<string, string> = browser || cookie === undefined
        ? {}
        : { cookie, "sec-fetch-site": "same-origin" };
      if (method === "GET" || (cookie === undefined && !browser)) return own;
      csrfToken ??= await readToken();
      return { ...own, "x-vmx-csrf": csrfToken };
    },
    learn({ headers }, body) {
      const [set] = browser ? [] : headers.getSetCookie();
      if (set !== undefined) cookie = set.split(";")[0];
      const token = (body as { csrfToken?: unknown } | undefined)?.csrfToken;
      if (typeof token === "string") csrfToken = token;
    },
    forget: () => csrfToken = undefined,
  };
}
