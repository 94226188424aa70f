import { Vmx, type VmxOptions } from "./index.ts";

/** A request as the fake gateway saw it. */
export interface Seen {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: Headers;
  readonly body: unknown;
}

/** What the fake gateway does with a request: an answer, or an error as `fetch` throws it. */
export type Reply = Response | Error | (() => Response);

/** A client whose `fetch` answers from a list, or by a function. */
export function fakeGateway(
  replies: readonly Reply[] | ((seen: Seen) => Reply),
  options: VmxOptions = {},
): { readonly vmx: Vmx; readonly seen: Seen[]; readonly waits: number[] } {
  const seen: Seen[] = [];
  const waits: number[] = [];
  const vmx = new Vmx({
    baseUrl: "http://gateway.test",
    token: "vmx_pat_test",
    random: () => 0,
    sleep: (ms, signal) => {
      waits.push(ms);
      return signal?.aborted ? Promise.reject(signal.reason) : Promise.resolve();
    },
    fetch: (url, init) => {
      const { pathname, search } = new URL(url);
      const request: Seen = {
        method: init.method ?? "GET",
        path: pathname + search,
        headers: new Headers(init.headers),
        body: typeof init.body === "string" ? JSON.parse(init.body) : undefined,
      };
      seen.push(request);
      const reply = typeof replies === "function" ? replies(request) : replies[seen.length - 1];
      if (reply === undefined) throw new Error(`No reply for request ${seen.length}`);
      if (reply instanceof Error) return Promise.reject(reply);
      return Promise.resolve(typeof reply === "function" ? reply() : reply);
    },
    ...options,
  });
  return { vmx, seen, waits };
}

/** An answer as the gateway gives it. */
export function answer(body: unknown, status = 200, headers: HeadersInit = {}): Response {
  return new Response(body === undefined ? null : JSON.stringify(body), {
    status,
    headers: { "content-type": "application/json", ...Object.fromEntries(new Headers(headers)) },
  });
}

/** A problem as the gateway gives it. */
export function problem(
  status: number,
  code: string,
  headers: HeadersInit = {},
  members: object = {},
): Response {
  const body = {
    type: `/problems/${code}`,
    title: "A title",
    status,
    detail: `Cannot do it: ${code}`,
    instance: "/api/v1",
    code,
    requestId: "01a1fdc0-cb2f-75ad-80f1-6ad681ba73c2",
    ...members,
  };
  return answer(body, status, {
    "content-type": "application/problem+json",
    ...Object.fromEntries(new Headers(headers)),
  });
}
