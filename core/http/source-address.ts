import ipaddr from "ipaddr.js";

/** Tells the address a request came from. */
export type SourceAddress = (peer: string | undefined, forwardedFor: string | undefined) => string;

/**
 * Believes `X-Forwarded-For` only from trusted proxies: the client is the right-most address that is not one.
 *
 * @param trusted addresses and networks, such as `10.0.0.0/8`
 */
export function createSourceAddress(trusted: readonly string[]): SourceAddress {
  const networks = trusted.map((entry) =>
    entry.includes("/")
      ? ipaddr.parseCIDR(entry)
      : [ipaddr.parse(entry), ipaddr.parse(entry).kind() === "ipv4" ? 32 : 128] as [
        ipaddr.IPv4 | ipaddr.IPv6,
        number,
      ]
  );
  const isTrusted = (address: string): boolean => {
    if (!ipaddr.isValid(address)) return false;
    const parsed = ipaddr.process(address);
    return networks.some(([network, bits]) =>
      network.kind() === parsed.kind() && parsed.match(network as ipaddr.IPv4, bits)
    );
  };
  return (peer, forwardedFor) => {
    const own = normalise(peer ?? "unknown");
    if (networks.length === 0 || forwardedFor === undefined || !isTrusted(own)) return own;
    const chain = forwardedFor.split(",").map((entry) => entry.trim()).filter(Boolean);
    for (const entry of chain.reverse()) {
      if (!ipaddr.isValid(entry)) return own;
      if (!isTrusted(entry)) return normalise(entry);
    }
    return own;
  };
}

function normalise(address: string): string {
  return address.startsWith("::ffff:") ? address.slice(7) : address;
}
