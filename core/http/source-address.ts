import ipaddr from "ipaddr.js";

/** Tells the address a request came from. */
export type SourceAddress = (peer: string | undefined, forwardedFor: string | undefined) => string;

/**
 * Believes `X-Forwarded-For` only from trusted proxies: the client is the right-most address that is not one.
 *
 * @param trusted addresses and networks, such as `10.0.0.0/8`
 */
export function createSourceAddress(trusted: readonly string[]): SourceAddress {
  const isTrusted = createIsTrusted(trusted);
  return (peer, forwardedFor) => {
    const own = normalise(peer ?? "unknown");
    if (trusted.length === 0 || forwardedFor === undefined || !isTrusted(own)) return own;
    const chain = forwardedFor.split(",").map((entry) => entry.trim()).filter(Boolean);
    for (const entry of chain.reverse()) {
      if (!ipaddr.isValid(entry)) return own;
      if (!isTrusted(entry)) return normalise(entry);
    }
    return own;
  };
}

/** Whether an address is a proxy whose forwarding headers are believed. */
export type IsTrusted = (address: string) => boolean;

/** @param trusted addresses and networks, such as `10.0.0.0/8` */
export function createIsTrusted(trusted: readonly string[]): IsTrusted {
  const networks = trusted.map((entry) =>
    entry.includes("/")
      ? ipaddr.parseCIDR(entry)
      : [ipaddr.parse(entry), ipaddr.parse(entry).kind() === "ipv4" ? 32 : 128] as [
        ipaddr.IPv4 | ipaddr.IPv6,
        number,
      ]
  );
  return (address) => {
    if (!ipaddr.isValid(address)) return false;
    const parsed = ipaddr.process(address);
    return networks.some(([network, bits]) =>
      network.kind() === parsed.kind() && parsed.match(network as ipaddr.IPv4, bits)
    );
  };
}

function normalise(address: string): string {
  return address.startsWith("::ffff:") ? address.slice(7) : address;
}
