import ipaddr from "ipaddr.js";

/** A rule an address breaks. `always` rules hold whatever the operator allows. */
export interface AddressRule {
  readonly rule: string;
  readonly always: boolean;
}

/** A network: an address and the length of its prefix in bits. */
export type Network = readonly [ipaddr.IPv4 | ipaddr.IPv6, number];

/**
 * Tells which rule of security.md §10 an address breaks, or undefined when it may be called by anyone.
 * An IPv4 address carried inside an IPv6 address is judged as well.
 *
 * @param text A literal IPv4 or IPv6 address without brackets.
 */
export function judgeAddress(text: string): AddressRule | undefined {
  const address = parseAddress(text);
  if (address === undefined) return { rule: "not an address", always: true };
  const inner = address.kind() === "ipv6" ? embedded(address as ipaddr.IPv6) : [];
  const verdicts = [address, ...inner].map(judge).filter((verdict) => verdict !== undefined);
  return verdicts.find((verdict) => verdict.always) ?? verdicts[0];
}

/** Parses a literal address, or answers undefined. Only the four-part decimal form of IPv4 counts as one. */
export function parseAddress(text: string): ipaddr.IPv4 | ipaddr.IPv6 | undefined {
  const bare = text.replace(/%.*$/, "");
  if (ipaddr.IPv4.isValidFourPartDecimal(bare)) return ipaddr.IPv4.parse(bare);
  return ipaddr.IPv6.isValid(bare) ? ipaddr.IPv6.parse(bare) : undefined;
}

/** Parses `10.0.0.0/8` or a single address as a network, or answers undefined. */
export function parseNetwork(text: string): Network | undefined {
  const [base = "", bits, ...rest] = text.split("/");
  const address = parseAddress(base);
  if (address === undefined || rest.length > 0) return undefined;
  const width = address.kind() === "ipv4" ? 32 : 128;
  if (bits === undefined) return [address, width];
  const length = /^\d{1,3}$/.test(bits) ? Number(bits) : Infinity;
  return length <= width ? [address, length] : undefined;
}

/** Whether an address lies in a network of its own family; a mapped IPv4 address counts as IPv4. */
export function within(text: string, network: Network): boolean {
  let address = parseAddress(text);
  if (address === undefined) return false;
  if (address.kind() === "ipv6" && (address as ipaddr.IPv6).isIPv4MappedAddress()) {
    address = (address as ipaddr.IPv6).toIPv4Address();
  }
  return address.kind() === network[0].kind() && address.match(network[0], network[1]);
}

/** Metadata services of AWS, Google Cloud, Azure, Alibaba Cloud and Oracle Cloud outside link-local space. */
const metadataNetworks = [
  "168.63.129.16",
  "100.100.100.200",
  "192.0.0.192",
  "fd00:ec2::/32",
  "fd00:c1::/32",
  "fd20:ce::254",
].map((text) => parseNetwork(text) as Network);

/** Ranges of the address registry with the rule that names them; `true` marks those nobody may allow. */
const rules: Readonly<Record<string, readonly [rule: string, always: boolean]>> = {
  unspecified: ["unspecified address", true],
  broadcast: ["broadcast address", true],
  multicast: ["multicast address", true],
  linkLocal: ["link-local address", true],
  loopback: ["loopback address", false],
  private: ["private address", false],
  carrierGradeNat: ["shared address space 100.64.0.0/10", false],
  uniqueLocal: ["unique local address", false],
};

/** Ranges that only carry an IPv4 address: the one inside decides. */
const carriers = new Set(["ipv4Mapped", "rfc6145", "rfc6052", "6to4"]);

function judge(address: ipaddr.IPv4 | ipaddr.IPv6): AddressRule | undefined {
  if (metadataNetworks.some((network) => within(address.toString(), network))) {
    return { rule: "cloud metadata address", always: true };
  }
  const range = address.range();
  // 64:ff9b:1::/48 is for local use and may place the inner address anywhere.
  const localTranslation = range === "rfc6052" && (address as ipaddr.IPv6).parts[2] !== 0;
  if (range === "unicast" || (carriers.has(range) && !localTranslation)) return undefined;
  const [rule, always] = rules[range] ?? ["reserved address", false];
  return { rule, always };
}

/** IPv4 addresses inside an IPv6 address: mapped, compatible, translated, NAT64, 6to4, Teredo, ISATAP. */
function embedded(address: ipaddr.IPv6): ipaddr.IPv4[] {
  const parts = address.parts;
  const at = (index: number): ipaddr.IPv4 => toIPv4(parts[index] ?? 0, parts[index + 1] ?? 0);
  const found: ipaddr.IPv4[] = [];
  const leadingZeros = parts.findIndex((part) => part !== 0);
  // ::a.b.c.d, ::ffff:a.b.c.d and ::ffff:0:a.b.c.d; :: and ::1 are judged as what they are.
  if (leadingZeros >= 4 && !["loopback", "unspecified"].includes(address.range())) {
    found.push(at(6));
  }
  if (parts[0] === 0x64 && parts[1] === 0xff9b) found.push(at(6));
  if (parts[0] === 0x2002) found.push(at(1));
  if (parts[0] === 0x2001 && parts[1] === 0) {
    found.push(at(2), toIPv4((parts[6] ?? 0) ^ 0xffff, (parts[7] ?? 0) ^ 0xffff));
  }
  if ((parts[4] ?? 0) % 0x200 === 0 && parts[5] === 0x5efe) found.push(at(6));
  return found;
}

function toIPv4(high: number, low: number): ipaddr.IPv4 {
  return new ipaddr.IPv4([high >> 8, high & 255, low >> 8, low & 255]);
}
