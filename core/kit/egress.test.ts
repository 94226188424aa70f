import { expect, test } from "vitest";
import { GatewayError } from "../contract/errors.ts";
import { createEgressGuard, type EgressGuard } from "./egress.ts";
import type { Resolve } from "./resolve.ts";

const strict = createEgressGuard({ privateRanges: "deny" });
const relaxed = createEgressGuard({ privateRanges: "allow" });

function ruleOf(guard: EgressGuard, url: string): string {
  try {
    guard.checkUrl(url);
    return "permitted";
  } catch (error) {
    expect(error).toBeInstanceOf(GatewayError);
    expect((error as GatewayError).code).toBe("egress_refused");
    return String((error as GatewayError).details?.["rule"] ?? (error as Error).message);
  }
}

/** Spellings of private hosts with the rule that must refuse them while private ranges are denied. */
const privateHosts: readonly [host: string, rule: string][] = [
  ["127.0.0.1", "loopback address"],
  ["127.1", "loopback address"],
  ["2130706433", "loopback address"],
  ["0x7f000001", "loopback address"],
  ["0x7f.0.0.1", "loopback address"],
  ["0177.0.0.1", "loopback address"],
  ["017700000001", "loopback address"],
  ["127.0.0.1.", "loopback address"],
  ["%31%32%37.0.0.1", "loopback address"],
  ["127。0。0。1", "loopback address"],
  ["①②⑦.0.0.1", "loopback address"],
  ["localhost", "loopback name"],
  ["LOCALHOST.", "loopback name"],
  ["api.localhost", "loopback name"],
  ["10.1.2.3", "private address"],
  ["10.0.258", "private address"],
  ["172.16.0.1", "private address"],
  ["172.31.255.255", "private address"],
  ["192.168.1.1", "private address"],
  ["0xc0a80101", "private address"],
  ["100.64.0.1", "shared address space 100.64.0.0/10"],
  ["100.127.255.254", "shared address space 100.64.0.0/10"],
  ["198.18.0.1", "reserved address"],
  ["192.0.2.1", "reserved address"],
  ["240.0.0.1", "reserved address"],
  ["[::1]", "loopback address"],
  ["[0:0:0:0:0:0:0:1]", "loopback address"],
  ["[::ffff:127.0.0.1]", "loopback address"],
  ["[::ffff:7f00:1]", "loopback address"],
  ["[::127.0.0.1]", "loopback address"],
  ["[::ffff:0:127.0.0.1]", "loopback address"],
  ["[64:ff9b::10.0.0.1]", "private address"],
  ["[64:ff9b:1::808:808]", "reserved address"],
  ["[2002:7f00:1::]", "loopback address"],
  ["[2002:0a00:0001::1]", "private address"],
  ["[2001:0:4136:e378:8000:63bf:80ff:fffe]", "reserved address"],
  ["[2600::200:5efe:10.0.0.1]", "private address"],
  ["[fc00::1]", "unique local address"],
  ["[fd12:3456::1]", "unique local address"],
  ["[fec0::1]", "reserved address"],
  ["[2001:db8::1]", "reserved address"],
];

/** Hosts nobody may call, whatever the operator allows. */
const alwaysRefused: readonly [host: string, rule: string][] = [
  ["169.254.169.254", "link-local address"],
  ["169.254.170.2", "link-local address"],
  ["2852039166", "link-local address"],
  ["0xa9fea9fe", "link-local address"],
  ["0251.0376.0251.0376", "link-local address"],
  ["[::ffff:169.254.169.254]", "link-local address"],
  ["[::ffff:a9fe:a9fe]", "link-local address"],
  ["[64:ff9b::a9fe:a9fe]", "link-local address"],
  ["[2002:a9fe:a9fe::]", "link-local address"],
  ["[fe80::1]", "link-local address"],
  ["[fd00:ec2::254]", "cloud metadata address"],
  ["[fd00:ec2::23]", "cloud metadata address"],
  ["[fd00:c1::a9fe:a9fe]", "cloud metadata address"],
  ["[fd20:ce::254]", "cloud metadata address"],
  ["168.63.129.16", "cloud metadata address"],
  ["100.100.100.200", "cloud metadata address"],
  ["[::ffff:100.100.100.200]", "cloud metadata address"],
  ["metadata.google.internal", "cloud metadata name"],
  ["Metadata.Google.Internal.", "cloud metadata name"],
  ["metadata.google.internal..", "cloud metadata name"],
  ["metadata", "cloud metadata name"],
  ["0.0.0.0", "unspecified address"],
  ["0", "unspecified address"],
  ["0.1.2.3", "unspecified address"],
  ["[::]", "unspecified address"],
  ["[::ffff:0.0.0.0]", "unspecified address"],
  ["224.0.0.1", "multicast address"],
  ["239.255.255.255", "multicast address"],
  ["[ff02::1]", "multicast address"],
  ["255.255.255.255", "broadcast address"],
];

test.each(privateHosts)(
  "a private host %s is refused by default and can be allowed",
  (host, rule) => {
    expect(ruleOf(strict, `https://${host}/v1`)).toBe(rule);
    expect(ruleOf(relaxed, `https://${host}/v1`)).toBe("permitted");
    expect(ruleOf(relaxed, `http://${host}:8080/v1`)).toBe("permitted");
  },
);

test.each(alwaysRefused)("%s is refused whatever is allowed", (host, rule) => {
  const open = createEgressGuard({
    privateRanges: "allow",
    allow: ["0.0.0.0/0", "::/0", "metadata", "metadata.google.internal"],
  });
  for (const guard of [strict, relaxed, open]) {
    expect(ruleOf(guard, `https://${host}/`)).toBe(rule);
  }
});

test.each([
  ["http://api.example.com/", "scheme http"],
  ["file:///etc/passwd", "scheme file"],
  ["gopher://example.com/", "scheme gopher"],
  ["unix:/run/x.sock", "scheme unix"],
  ["ftp://example.com/", "scheme ftp"],
  ["https://user@example.com/", "user info in the URL"],
  ["https://:secret@example.com/", "user info in the URL"],
  ["https://example.com:25/", "port 25"],
  ["https://example.com:465/", "port 465"],
  ["https://example.com:587/", "port 587"],
  ["not a url", "Cannot call the URL: it is not valid"],
  ["https://", "Cannot call the URL: it is not valid"],
  ["https://api.example.com/v1", "permitted"],
  ["https://api.example.com:8443/v1", "permitted"],
  ["https://8.8.8.8/", "permitted"],
  ["https://[2606:4700::1111]/", "permitted"],
  ["https://[64:ff9b::808:808]/", "permitted"],
  ["https://metadata.example.com/", "permitted"],
])("%s is judged by scheme, user info and port: %s", (url, rule) => {
  expect(ruleOf(strict, url)).toBe(rule);
});

test("an allowed host, host with port, address or network is permitted, and only that", () => {
  const guard = createEgressGuard({
    privateRanges: "deny",
    allow: ["ollama", "models.corp:8443", "10.1.0.0/16", "192.168.7.7", "fd12::/16"],
  });
  expect(ruleOf(guard, "http://ollama:11434/v1")).toBe("permitted");
  expect(ruleOf(guard, "http://models.corp:8443/")).toBe("permitted");
  expect(ruleOf(guard, "http://models.corp:8080/")).toBe("scheme http");
  expect(ruleOf(guard, "http://10.1.2.3/")).toBe("permitted");
  expect(ruleOf(guard, "https://[::ffff:10.1.2.3]/")).toBe("permitted");
  expect(ruleOf(guard, "https://10.2.2.3/")).toBe("private address");
  expect(ruleOf(guard, "https://192.168.7.7/")).toBe("permitted");
  expect(ruleOf(guard, "https://192.168.7.8/")).toBe("private address");
  expect(ruleOf(guard, "https://[fd12::9]/")).toBe("permitted");
});

test("an allow entry that is neither host nor network is refused by name", () => {
  expect(() => createEgressGuard({ privateRanges: "deny", allow: ["https://x/"] })).toThrow(
    'Cannot read egress allow entry "https://x/": expected a host or a network',
  );
  expect(() => createEgressGuard({ privateRanges: "deny", allow: ["10.0.0.0/99"] })).toThrow();
});

function answering(...addresses: string[]): Resolve {
  return (_host, done) =>
    done(null, addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 })));
}

function lookUp(
  settings: { readonly resolve: Resolve; readonly allow?: string[] },
  host: string,
  port = 443,
): Promise<unknown> {
  const guard = createEgressGuard({ privateRanges: "deny", ...settings });
  return new Promise((resolve) => {
    guard.lookup(port)(host, { all: true }, (error, found) => {
      resolve(error === null ? found : error.message);
    });
  });
}

test("a name passes only when every address of it passes", async () => {
  const resolve = answering("93.184.216.34", "2606:4700::1111");
  expect(await lookUp({ resolve }, "api.example.com")).toHaveLength(2);
  const mixed = answering("93.184.216.34", "10.0.0.1");
  expect(await lookUp({ resolve: mixed }, "api.example.com")).toBe(
    'Cannot call "api.example.com": its address is refused by the rule "private address"',
  );
});

test("a name that resolves to a metadata address is refused although the host is allowed", async () => {
  const resolve = answering("169.254.169.254");
  expect(await lookUp({ resolve, allow: ["imds.corp"] }, "imds.corp")).toBe(
    'Cannot call "imds.corp": its address is refused by the rule "link-local address"',
  );
});

test("a name that resolves to an allowed network or belongs to an allowed host is permitted", async () => {
  const resolve = answering("10.1.2.3");
  expect(await lookUp({ resolve, allow: ["10.1.0.0/16"] }, "models.corp")).toHaveLength(1);
  expect(await lookUp({ resolve, allow: ["models.corp"] }, "models.corp")).toHaveLength(1);
  expect(await lookUp({ resolve }, "models.corp")).toContain("private address");
});

test("an unknown name fails as not found", async () => {
  expect(await lookUp({ resolve: answering() }, "gone.example.com")).toBe(
    "no address for gone.example.com",
  );
});
