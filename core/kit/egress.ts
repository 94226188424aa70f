import type { LookupAddress } from "node:dns";
import { GatewayError } from "../contract/errors.ts";
import {
  judgeAddress,
  type Network,
  parseAddress,
  parseNetwork,
  within,
} from "./egress-addresses.ts";
import { createSystemResolver, type Resolve } from "./resolve.ts";

/** What the guard is told by the operator. */
export interface EgressSettings {
  /** `allow` permits `http` and private, loopback and shared addresses. */
  readonly privateRanges: "allow" | "deny";
  /** Hosts, `host:port`, addresses or networks that are permitted although they are private. */
  readonly allow?: readonly string[];
  /** Resolves names; the system's resolver when absent. */
  readonly resolve?: Resolve;
}

/** The `lookup` option of `net.connect`. */
export type Lookup = (
  hostname: string,
  options: { readonly all?: boolean; readonly family?: number | string },
  done: (
    error: NodeJS.ErrnoException | null,
    address: string | LookupAddress[],
    family?: number,
  ) => void,
) => void;

/** Decides which addresses the gateway may call (security.md §10). */
export interface EgressGuard {
  /** Checks all that a URL tells without resolving its name. Throws `egress_refused` naming host and rule. */
  checkUrl(url: string | URL): URL;
  /** Checks a host that is about to be dialled. Throws `egress_refused`. */
  checkHost(hostname: string, port: number): void;
  /**
   * A `lookup` for one port: every address of the name must pass, and only checked addresses are answered, so that
   * the address dialled is the address checked. Fails with `egress_refused`.
   */
  lookup(port: number): Lookup;
}

/** Names of metadata services of AWS, Google Cloud, Azure, Alibaba Cloud and Oracle Cloud. */
const metadataNames = new Set([
  "metadata",
  "metadata.google.internal",
  "metadata.goog",
  "instance-data",
  "instance-data.ec2.internal",
  "metadata.azure.internal",
  "metadata.azure.com",
  "metadata.oraclecloud.com",
  "metadata.aliyun.com",
  "metadata.aliyuncs.com",
]);

/** Ports of mail transport, which would let a tenant send mail through the gateway. */
const refusedPorts = new Set([25, 465, 587]);

/**
 * Makes the guard every outbound connection passes.
 * Throws a plain Error naming an entry of `allow` that is neither a host nor a network.
 */
export function createEgressGuard(settings: EgressSettings): EgressGuard {
  const privateAllowed = settings.privateRanges === "allow";
  const { hosts, networks } = readAllowed(settings.allow ?? []);
  const resolve = settings.resolve ?? createSystemResolver();

  const hostAllowed = (host: string, port: number): boolean =>
    hosts.has(host) || hosts.has(`${host}:${port}`);

  function refusal(address: string, permitted: boolean): string | undefined {
    const verdict = judgeAddress(address);
    if (verdict === undefined) return undefined;
    if (verdict.always) return verdict.rule;
    if (permitted || privateAllowed) return undefined;
    return networks.some((network) => within(address, network)) ? undefined : verdict.rule;
  }

  function checkHost(hostname: string, port: number): void {
    const host = plainHost(hostname);
    if (host === "") throw refused(hostname, "no host");
    if (refusedPorts.has(port)) throw refused(host, `port ${port}`);
    if (metadataNames.has(host)) throw refused(host, "cloud metadata name");
    const permitted = hostAllowed(host, port);
    if (parseAddress(host) !== undefined) {
      const rule = refusal(host, permitted);
      if (rule !== undefined) throw refused(host, rule);
    } else if (!permitted && !privateAllowed && /(^|\.)localhost$/.test(host)) {
      throw refused(host, "loopback name");
    }
  }

  function checkUrl(input: string | URL): URL {
    const url = typeof input === "string" ? parseUrl(input) : input;
    const host = plainHost(url.hostname);
    const port = portOf(url);
    if (url.protocol !== "https:" && url.protocol !== "http:") {
      throw refused(host, `scheme ${url.protocol.slice(0, -1)}`);
    }
    if (url.username !== "" || url.password !== "") throw refused(host, "user info in the URL");
    checkHost(host, port);
    const plainAllowed = privateAllowed || hostAllowed(host, port) ||
      networks.some((network) => within(host, network));
    if (url.protocol === "http:" && !plainAllowed) throw refused(host, "scheme http");
    return url;
  }

  const lookup = (port: number): Lookup => (hostname, options, done) => {
    const host = plainHost(hostname);
    try {
      checkHost(host, port);
    } catch (error) {
      done(error as Error, "");
      return;
    }
    resolve(hostname, (error, addresses) => {
      if (error !== null) return done(error, "");
      const permitted = hostAllowed(host, port);
      for (const { address } of addresses) {
        const rule = refusal(address, permitted);
        if (rule !== undefined) return done(refused(host, rule, "its address"), "");
      }
      const usable = addresses.filter(({ family }) => matches(options.family, family));
      const [first] = usable;
      if (first === undefined) return done(notFound(host), "");
      if (options.all === true) return done(null, [...usable]);
      done(null, first.address, first.family);
    });
  };

  return { checkUrl, checkHost, lookup };
}

function readAllowed(entries: readonly string[]) {
  const hosts = new Set<string>();
  const networks: Network[] = [];
  for (const entry of entries) {
    const text = entry.trim().toLowerCase();
    const network = parseNetwork(text.replace(/^\[(.*)\]$/, "$1"));
    if (network !== undefined) networks.push(network);
    else if (/^[a-z0-9._-]+(:\d{1,5})?$|^\[[0-9a-f:.]+\]:\d{1,5}$/.test(text)) {
      hosts.add(text.replace(/[[\]]/g, "").replace(/\.(?=:\d+$|$)/, ""));
    } else {
      throw new Error(`Cannot read egress allow entry "${entry}": expected a host or a network`);
    }
  }
  return { hosts, networks };
}

/** Lower case, without brackets and without the dot that ends an absolute name. */
function plainHost(hostname: string): string {
  return hostname.toLowerCase().replace(/^\[(.*)\]$/, "$1").replace(/\.+$/, "");
}

function portOf(url: URL): number {
  if (url.port !== "") return Number(url.port);
  return url.protocol === "http:" ? 80 : 443;
}

function parseUrl(text: string): URL {
  const url = URL.parse(text);
  if (url === null) {
    throw new GatewayError("egress_refused", "Cannot call the URL: it is not valid");
  }
  return url;
}

function matches(wanted: number | string | undefined, family: number): boolean {
  return wanted === undefined || wanted === 0 || wanted === family || wanted === `IPv${family}`;
}

function notFound(host: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`no address for ${host}`), { code: "ENOTFOUND" });
}

function refused(host: string, rule: string, what = "it"): GatewayError {
  return new GatewayError(
    "egress_refused",
    `Cannot call "${host}": ${what} is refused by the rule "${rule}"`,
    { details: { host, rule }, shouldRetry: false },
  );
}
