/** An answer a browser stopped at. */
export interface Page {
  readonly status: number;
  readonly url: string;
  readonly text: string;
  readonly location: string | null;
}

/** As much of a browser as a login needs: cookies by host and path, redirects, one form. */
export interface TestBrowser {
  /** Cookies by `host:port`, name to value. */
  readonly cookies: Map<string, Map<string, string>>;
  /** Goes to a page and follows redirects, until `until` says that a redirect must not be followed. */
  open(url: string, until?: (location: string) => boolean): Promise<Page>;
  /** Fills in the form of a page and sends it. */
  submit(
    page: Page,
    fields: Readonly<Record<string, string>>,
    until?: (location: string) => boolean,
  ): Promise<Page>;
}

/** Creates a browser without any cookie. Port and host tell cookies apart. */
export function createTestBrowser(headers: Readonly<Record<string, string>> = {}): TestBrowser {
  const cookies: TestBrowser["cookies"] = new Map();

  async function request(url: string, init: RequestInit): Promise<Response> {
    const { host } = new URL(url);
    const jar = cookies.get(host) ?? new Map<string, string>();
    cookies.set(host, jar);
    const response = await fetch(url, {
      ...init,
      redirect: "manual",
      headers: {
        ...headers,
        ...init.headers as Record<string, string>,
        cookie: [...jar].map(([name, value]) => `${name}=${value}`).join("; "),
      },
    });
    for (const line of response.headers.getSetCookie()) {
      const [pair = "", ...attributes] = line.split(";");
      const at = pair.indexOf("=");
      const ended = attributes.some((each) => /^\s*(max-age=0|expires=.*1970)/i.test(each));
      if (ended || pair.slice(at + 1) === "") jar.delete(pair.slice(0, at));
      else jar.set(pair.slice(0, at), pair.slice(at + 1));
    }
    return response;
  }

  async function follow(
    url: string,
    init: RequestInit,
    until: (location: string) => boolean,
  ): Promise<Page> {
    let response = await request(url, init);
    let at = url;
    for (let hops = 0; hops < 15; hops++) {
      const location = response.headers.get("location");
      if (location === null || response.status < 300 || response.status >= 400) break;
      const next = new URL(location, at).href;
      if (until(next)) {
        await response.body?.cancel();
        return { status: response.status, url: at, text: "", location: next };
      }
      await response.body?.cancel();
      at = next;
      response = await request(at, { method: "GET" });
    }
    return { status: response.status, url: at, text: await response.text(), location: null };
  }

  const never = () => false;
  return {
    cookies,
    open: (url, until = never) => follow(url, { method: "GET" }, until),
    submit(page, fields, until = never) {
      const [, action = ""] = /<form[^>]*action="([^"]+)"/.exec(page.text) ?? [];
      const hidden = [...page.text.matchAll(/<input type="hidden" name="(\w+)" value="(\w+)"/g)]
        .map(([, name = "", value = ""]): [string, string] => [name, value]);
      const body = new URLSearchParams([...hidden, ...Object.entries(fields)]);
      const url = new URL(action.replaceAll("&amp;", "&"), page.url).href;
      return follow(url, {
        method: "POST",
        body: body.toString(),
        headers: { "content-type": "application/x-www-form-urlencoded" },
      }, until);
    },
  };
}
