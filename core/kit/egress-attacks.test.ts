import { createServer, type Server } from "node:http";
import { connect } from "node:net";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createEgressGuard } from "./egress.ts";
import { createHttpClient, type GatewayHttpClient } from "./http.ts";
import type { Resolve } from "./resolve.ts";

/*
 * Whatever is written into a base URL, a callback or the address of an image: with the guard on, no connection reaches a
 * listener on a private address. The listener is real, and so is the way out.
 */

let server: Server;
let port: number;
let client: GatewayHttpClient;
let connections = 0;
const clock = { now: () => Date.now(), monotonic: () => performance.now() };

/** Names of an attacker's zone, with what they resolve to; `rebinding` answers anew each time. */
const zone: Readonly<Record<string, readonly string[]>> = {
  "public.example": ["93.184.216.34"],
  "private.example": ["127.0.0.1"],
  "six.example": ["::1"],
  "mapped.example": ["::ffff:127.0.0.1"],
  "mixed.example": ["93.184.216.34", "127.0.0.1"],
  "metadata.example": ["169.254.169.254"],
  "any.example": ["0.0.0.0"],
  "any6.example": ["::"],
  "lan.example": ["10.0.0.1"],
  "carrier.example": ["100.64.0.1"],
};
let asked = 0;
const resolve: Resolve = (host, done) => {
  asked++;
  const name = host.toLowerCase().replace(/\.$/, "");
  const found = name.startsWith("rebinding") ? ["127.0.0.1"] : zone[name] ?? ["127.0.0.1"];
  done(null, found.map((address) => ({ address, family: address.includes(":") ? 6 : 4 })));
};

beforeAll(async () => {
  server = createServer((_request, response) => response.end("reached"));
  server.on("connection", () => connections++);
  // Every address of the machine, both families.
  await new Promise<void>((done) => server.listen(0, "::", done));
  port = (server.address() as AddressInfo).port;
  client = createHttpClient({
    connectTimeoutMs: 300,
    idleTimeoutMs: 300,
    guard: createEgressGuard({ privateRanges: "deny", resolve }),
    clock,
  });
});
afterAll(async () => {
  await client.close();
  server.closeAllConnections();
  await new Promise((done) => server.close(done));
});

const hosts = (list: string) => list.trim().split(/\s+/);

/** At least twenty of each kind; `P` is the listener's port. */
const families: Readonly<Record<string, readonly string[]>> = {
  "IPv4 in every notation": hosts(
    `127.0.0.1 127.1 127.0.1 127.255.255.254 2130706433 0x7f000001 0x7f.0.0.1
    0x7f.1 0177.0.0.1 0177.1 017700000001 0 0.0.0.0 00000000 0x0 127.0.0.1. 127.000.000.001 0x7F.0x0.0x0.0x1
    %31%32%37.0.0.1 127%2e0%2e0%2e1 127.0.0.0x1 4294967295`,
  ),
  "IPv4 with other digits and dots": hosts(
    `①②⑦.0.0.1 １２７.0.0.1 127。0。0。1 127．0．0．1 127｡0｡0｡1
    １２７．０．０．１ ①２7.⓪.0.① ⑫7.0.0.1 1②7.1 ①②⑦.① ２１３０７０６４３３ ⓪x7f.1 0ｘ7f.0.0.1 127.0.0.１ 127.0。0.1
    １27.0.0.1 12７.0.0.1 ₁₂₇.0.0.1 ¹²⁷.0.0.1 𝟏𝟐𝟕.0.0.1 𝟙𝟚𝟟.𝟘.𝟘.𝟙`,
  ),
  "IPv6 and IPv4 inside it": hosts(`[::1] [0:0:0:0:0:0:0:1] [::0001] [0000::1] [::ffff:127.0.0.1]
    [::ffff:7f00:1] [0:0:0:0:0:ffff:127.0.0.1] [::FFFF:127.0.0.1] [::127.0.0.1] [::7f00:1] [::ffff:0:127.0.0.1]
    [64:ff9b::127.0.0.1] [64:ff9b::7f00:1] [2002:7f00:1::] [2002:7f00:0001::1] [2001:0:7f00:1::80ff:fffe]
    [::] [::ffff:0.0.0.0] [fe80::1] [fc00::1] [2600::200:5efe:127.0.0.1] [64:ff9b:1::7f00:1]`),
  "private, shared and reserved networks": hosts(
    `10.0.0.1 10.255.255.255 172.16.0.1 172.31.255.255 192.168.0.1
    192.168.255.255 100.64.0.1 100.127.255.255 169.254.0.1 169.254.255.254 192.0.0.1 192.0.2.1 198.18.0.1
    198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255 0.1.2.3 10.1 172.1048577`,
  ),
  "cloud metadata": hosts(
    `169.254.169.254 169.254.170.2 2852039166 0xa9fea9fe 0251.0376.0251.0376 169.254.43518
    [::ffff:169.254.169.254] [::ffff:a9fe:a9fe] [64:ff9b::a9fe:a9fe] [2002:a9fe:a9fe::] [fd00:ec2::254]
    [fd00:ec2::23] [fd20:ce::254] [fd00:c1::a9fe:a9fe] 100.100.100.200 168.63.129.16 192.0.0.192
    metadata.google.internal METADATA.google.internal. metadata.goog instance-data metadata.azure.com`,
  ),
  "names that resolve to private addresses": hosts(
    `localhost LOCALHOST localhost. a.localhost x.y.localhost
    private.example six.example mapped.example mixed.example metadata.example any.example any6.example lan.example
    carrier.example private.example. PRIVATE.example rebinding1.example rebinding2.example 127.0.0.1.nip.example
    localtest.example loopback.example`,
  ),
};

/** Whole URLs whose trick is not in the host. */
const urls = (port: number) => [
  `http://public.example@127.0.0.1:${port}/`,
  `http://user:pass@127.0.0.1:${port}/`,
  `http://127.0.0.1:${port}\\@public.example/`,
  `http:\\\\127.0.0.1:${port}/`,
  `http:/127.0.0.1:${port}/`,
  `http:127.0.0.1:${port}/`,
  `//127.0.0.1:${port}/`,
  `http://127.0.0.1:${port}#@public.example/`,
  `http://127.0.0.1:${port}?@public.example/`,
  ` http://127.0.0.1:${port}/`,
  `ht\ntp://127.0.0.1:${port}/`,
  `http://127.0.\t0.1:${port}/`,
  `ftp://127.0.0.1:${port}/`,
  `gopher://127.0.0.1:${port}/_GET`,
  `file:///etc/passwd`,
  `unix:/run/socket`,
  `data:text/plain,x`,
  `ws://127.0.0.1:${port}/`,
  `jar:http://127.0.0.1:${port}/!/`,
  `http://[::1%25lo]:${port}/`,
  `http://public.example:${port}@127.0.0.1:${port}/`,
];

async function attack(url: string): Promise<string> {
  const signal = AbortSignal.timeout(1_000);
  const outcomes = await Promise.allSettled([
    client.send({ method: "POST", url, headers: {}, body: "{}", signal }),
    client.fetch(url, { method: "POST", body: "{}", signal }),
  ]);
  return outcomes.map(({ status }) => status).join();
}

test("the listener is there for whoever dials it without the guard", async () => {
  for (const host of ["127.0.0.1", "::1"]) {
    await new Promise<void>((done, fail) => {
      const socket = connect(port, host, () => {
        socket.destroy();
        done();
      });
      socket.on("error", fail);
    });
  }
  await expect.poll(() => connections).toBe(2);
  connections = 0;
});

test.each(Object.entries(families))("%s reach no private listener", async (_name, list) => {
  expect(list.length).toBeGreaterThanOrEqual(20);
  const before = connections;
  for (const scheme of ["http", "https"]) {
    await Promise.all(list.map(async (host) => {
      const url = `${scheme}://${host}:${port}/v1/chat/completions`;
      expect(await attack(url), url).toBe("rejected,rejected");
    }));
  }
  expect(connections).toBe(before);
});

test("URLs with tricks outside the host reach no private listener", async () => {
  const list = urls(port);
  expect(list.length).toBeGreaterThanOrEqual(20);
  const before = connections;
  await Promise.all(list.map(async (url) => {
    expect(await attack(url), JSON.stringify(url)).toBe("rejected,rejected");
  }));
  expect(connections).toBe(before);
});

test("the address that is dialled is the one that was checked, not one asked for anew", async () => {
  let answers = 0;
  const guard = createEgressGuard({
    privateRanges: "deny",
    // Public when it is looked up first, loopback ever after.
    resolve: (_host, done) =>
      done(null, [{ address: answers++ === 0 ? "93.184.216.34" : "127.0.0.1", family: 4 }]),
  });
  const dialled = () =>
    new Promise<string>((done) =>
      guard.lookup(port)(
        "rebinding.example",
        {},
        (error, address) => done(error ? error.message : String(address)),
      )
    );
  expect(await dialled()).toBe("93.184.216.34");
  expect(answers).toBe(1);
  for (let round = 0; round < 20; round++) {
    expect(await dialled()).toContain('refused by the rule "loopback address"');
  }
  expect(asked).toBeGreaterThan(0);
});

test("a redirect to a private address is answered, not followed", async () => {
  const door = createServer((_request, response) =>
    response.writeHead(302, { location: `http://127.0.0.1:${port}/` }).end()
  );
  await new Promise<void>((done) => door.listen(0, "127.0.0.2", done));
  const at = `127.0.0.2:${(door.address() as AddressInfo).port}`;
  const guarded = createHttpClient({
    connectTimeoutMs: 300,
    idleTimeoutMs: 300,
    guard: createEgressGuard({ privateRanges: "deny", allow: [at], resolve }),
    clock,
  });
  const before = connections;
  const response = await guarded.fetch(`http://${at}/`);
  expect(response.status).toBe(302);
  await response.body?.cancel();
  await expect(guarded.fetch(response.headers.get("location")!)).rejects.toThrow();
  expect(connections).toBe(before);
  await guarded.close();
  door.closeAllConnections();
  door.close();
});
