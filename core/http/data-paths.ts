import type { Operation } from "../contract/index.ts";
import type { Endpoint, IncomingRequest } from "../gateway/exchange.ts";
import type { PluginHost } from "../host/plugin-host.ts";
import { nearest } from "../kit/nearest.ts";

/** A path of the data plane with one of its methods. */
export interface Route extends Endpoint {
  readonly method: string;
}

/** What a path of the data plane stands for. */
export interface Found {
  readonly routes: readonly Route[];
  /** The last part of a path that ends in a name. */
  readonly name?: string;
  readonly path: IncomingRequest["path"];
  readonly probe: boolean;
  /** The path below its base. */
  readonly below: string;
}

/** The paths dialects announce, below the short and below the long base. */
export interface DataPaths {
  /** Looks a path up; undefined when it lies below no base. */
  find(pathname: string): Found | undefined;
  /** The route of a caller whose base URL lacks its end: of `/messages` in place of `/v1/messages`. */
  withoutBase(method: string, pathname: string): Route | undefined;
  /** The dialect in whose words an unknown path is answered. */
  dialectOf(found: Found): string | undefined;
  /** The path that was probably meant. */
  meant(found: Found, pathname: string): string | undefined;
}

/** The base whose environment is the credential's. */
export const shortBase = "/v1";
const longBase = "/v1/completion/";

/** Paths of one base: exact ones by path, and the one kind of path that ends in a name. */
interface RouteIndex {
  readonly exact: Map<string, Route[]>;
  readonly named: { readonly prefix: string; readonly route: Route }[];
  readonly probes: Set<string>;
}

/** Reads the paths from the dialects' manifests; no dialect is loaded for it. */
export function createDataPaths(host: PluginHost): DataPaths {
  const short = emptyIndex();
  const long = emptyIndex();
  for (const { id, entry } of host.contributions("dialects")) {
    addRoutes(id, entry["inbound"] as Inbound | undefined, short, long);
  }
  const mostSpoken = dialectWithMostPaths(short);
  const indexOf = ({ path }: Found) => path ? long : short;

  return {
    find(pathname) {
      if (pathname !== shortBase && !pathname.startsWith(`${shortBase}/`)) return undefined;
      return find(pathname, short, long);
    },

    withoutBase: (method, pathname) =>
      // A page of that name may be asked for with GET.
      method === "GET"
        ? undefined
        : short.exact.get(pathname)?.find((route) => route.method === method),

    dialectOf(found) {
      if (found.routes[0]) return found.routes[0].dialect;
      const first = found.below.split("/")[1];
      for (const [path, [route]] of indexOf(found).exact) {
        if (first !== undefined && path.split("/")[1] === first) return route?.dialect;
      }
      return mostSpoken;
    },

    meant(found, pathname) {
      const { below } = found;
      const { exact } = indexOf(found);
      const base = pathname.slice(0, pathname.length - below.length);
      // The base URL has its end twice.
      const again = below.startsWith(`${shortBase}/`) ? below.slice(shortBase.length) : undefined;
      const path = again !== undefined && exact.has(again)
        ? again
        : nearest(below.slice(0, 200), exact.keys());
      return path === undefined ? undefined : base + path;
    },
  };
}

/** A path as it stands in records: without ids. */
export function patternOf({ path, below, name }: Found): string {
  const base = path ? `${longBase}{workspaceId}/{environmentId}` : shortBase;
  return name === undefined ? base + below : `${base}/{name}`;
}

/** The part of a dialect's manifest entry that names its paths. */
interface Inbound {
  readonly routes: readonly {
    readonly method: string;
    readonly operation: Operation;
    readonly endpoint?: string;
    readonly long: readonly string[];
    readonly short: readonly string[];
  }[];
  readonly probes?: { readonly long?: readonly string[]; readonly short?: readonly string[] };
}

function emptyIndex(): RouteIndex {
  return { exact: new Map(), named: [], probes: new Set() };
}

function addRoutes(
  dialect: string,
  inbound: Inbound | undefined,
  short: RouteIndex,
  long: RouteIndex,
): void {
  for (const { method, operation, endpoint, ...paths } of inbound?.routes ?? []) {
    const route: Route = { method, operation, dialect, name: endpoint ?? operation };
    for (const path of paths.short) add(short, path, route);
    for (const path of paths.long) add(long, path, route);
  }
  for (const probe of inbound?.probes?.short ?? []) short.probes.add(probe);
  for (const probe of inbound?.probes?.long ?? []) long.probes.add(probe);
}

function add(index: RouteIndex, path: string, route: Route): void {
  const name = path.indexOf("{name}");
  if (name >= 0) index.named.push({ prefix: path.slice(0, name), route });
  else index.exact.set(path, [...index.exact.get(path) ?? [], route]);
}

/** The dialect with the most paths answers where nothing tells another. */
function dialectWithMostPaths({ exact }: RouteIndex): string | undefined {
  const counts = new Map<string, number>();
  for (const { dialect } of [...exact.values()].flat()) {
    counts.set(dialect, (counts.get(dialect) ?? 0) + 1);
  }
  return [...counts].sort(([, one], [, other]) => other - one)[0]?.[0];
}

function find(pathname: string, short: RouteIndex, long: RouteIndex): Found {
  if (!pathname.startsWith(longBase)) {
    return findBelow(pathname.slice(shortBase.length), short, undefined);
  }
  const [workspaceId = "", environmentId = "", ...rest] = pathname.slice(longBase.length).split(
    "/",
  );
  const below = rest.length === 0 ? "" : `/${rest.join("/")}`;
  return findBelow(below, long, {
    workspaceId: workspaceId.toLowerCase(),
    environmentId: environmentId.toLowerCase(),
  });
}

function findBelow(below: string, index: RouteIndex, path: IncomingRequest["path"]): Found {
  const routes = index.exact.get(below);
  const probe = index.probes.has(below);
  if (routes || probe) return { routes: routes ?? [], path, probe, below };
  for (const { prefix, route } of index.named) {
    if (below.startsWith(prefix) && below.length > prefix.length) {
      return { routes: [route], name: decode(below.slice(prefix.length)), path, probe, below };
    }
  }
  return { routes: [], path, probe, below };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
