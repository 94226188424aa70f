/** The HTTP server of QuestDB. */
export interface Server {
  /** Writes lines of the line protocol; rejects when the server does not take all of them. */
  write(lines: string): Promise<void>;
  /** Runs one statement and answers its rows. */
  run(statement: string): Promise<readonly (readonly unknown[])[]>;
  close(): void;
}

const timeoutMs = 15_000;

/** @param address such as `http://user:password@questdb:9000` */
export function createServer(address: string, send: typeof fetch): Server {
  const url = new URL(address.trim());
  const { username, password } = url;
  const credential: Record<string, string> = username === ""
    ? {}
    : { authorization: `Basic ${btoa(decodeURIComponent(`${username}:${password}`))}` };
  url.username = "";
  url.password = "";
  const base = url.href.replace(/\/+$/, "");
  const closing = new AbortController();

  async function call(path: string, init: RequestInit): Promise<string> {
    const response = await send(`${base}${path}`, {
      ...init,
      headers: credential,
      signal: AbortSignal.any([closing.signal, AbortSignal.timeout(timeoutMs)]),
    });
    const text = await response.text();
    if (response.ok) return text;
    throw new Error(`QuestDB answers ${response.status}: ${withoutCredential(text).slice(0, 500)}`);
  }

  /** A proxy on the way may repeat what it was sent. */
  function withoutCredential(text: string): string {
    const secrets = [credential["authorization"]?.slice("Basic ".length), password];
    const all = [...secrets, decodeURIComponent(password)].filter((secret) => !!secret);
    return all.reduce<string>((safe, secret) => safe.replaceAll(secret!, "[redacted]"), text);
  }

  return {
    async write(lines) {
      await call("/write?precision=ms", { method: "POST", body: lines });
    },
    async run(statement) {
      const text = await call(`/exec?${new URLSearchParams({ query: statement })}`, {});
      return (JSON.parse(text) as { dataset?: unknown[][] }).dataset ?? [];
    },
    close: () => closing.abort(new Error("the gateway is shutting down")),
  };
}
