import process from "node:process";
import { afterAll, beforeAll, expect, test } from "vitest";
import { temporaryFolder } from "../command/testing.ts";
import { leaveRoom, startGateways, type TestGateways } from "../command/testing-gateways.ts";
import { startTestDatabase, type TestDatabase } from "../store/testing.ts";

/*
 * Pools of two gateways, each a process of its own, on one store and by its real clock: two connections with the
 * same limit and the same demand. Both gateways ask the first one, one gateway asks the second.
 */

const limit = 20_000;
const maximum = 0.3 * limit;
const minimum = 0.5 * limit;
const folders = [temporaryFolder(), temporaryFolder()];
let database: TestDatabase;
let gateways: TestGateways;

beforeAll(async () => {
  database = await startTestDatabase();
  gateways = await startGateways(folders.map(({ path }) => path), {
    DATABASE_URL: database.url,
    REDIS_URL: process.env["VMX_TEST_REDIS_URL"]!,
  });
  const { manage, environment } = gateways;
  const pools: Record<string, string[]> = { chat: [], docs: [] };
  for (const name of ["of-two", "of-one"]) {
    const { connectionId } = await manage("POST", `${environment}/ai-connections`, {
      name,
      provider: "echo",
      config: {},
      capacity: [{ period: "minute", tokens: limit }],
    });
    for (const use of ["chat", "docs", "unassigned"]) {
      const { resourceId } = await manage("POST", `${environment}/ai-resources`, {
        name: `${use}-${name}`,
        model: { connectionId, model: "echo" },
      });
      pools[use]?.push(resourceId);
    }
  }
  await manage("PUT", `${environment}/pool-definition`, {
    definition: [
      { name: "chat", rank: 0, minReservation: 50, maxReservation: 100, resources: pools["chat"] },
      { name: "docs", rank: 1, minReservation: 0, maxReservation: 30, resources: pools["docs"] },
    ],
  });
  // Both gateways read the change within their next poll.
  await new Promise((resolve) => setTimeout(resolve, 3_000));
});

afterAll(async () => {
  await gateways?.end();
  await database?.stop();
  for (const folder of folders) folder.remove();
});

test("maximum, minimum and totals hold for two processes as for one", async () => {
  await leaveRoom(40_000);
  // Whoever asks first and most: docs and traffic of no pool, until each is refused for good.
  const [two, one] = await Promise.all([flood("of-two", [0, 1]), flood("of-one", [0])]);
  for (const { docs, unassigned, largest, overshoot } of [two!, one!]) {
    // L4, and L6: up to one request, all that the maximum allows was given.
    expect(docs).toBeLessThanOrEqual(maximum + overshoot);
    expect(docs).toBeGreaterThan(maximum - 2 * largest);
    // G2: the minimum of chat is still there.
    expect(docs + unassigned).toBeLessThanOrEqual(limit - minimum + overshoot);
    expect(docs + unassigned).toBeGreaterThan(limit - minimum - 2 * largest);
  }
  // L11: the same totals.
  expect(Math.abs(two!.docs - one!.docs)).toBeLessThanOrEqual(2 * two!.largest + two!.overshoot);
  // L3: nothing within the minimum is refused, whichever process is asked, while the others go on asking.
  for (const [name, places] of [["of-two", [0, 1]], ["of-one", [0]]] as const) {
    let used = 0;
    for (let at = 0; used + 2 * two!.largest + two!.overshoot < minimum; at++) {
      const place = places[at % places.length]!;
      void ask(`docs-${name}`, place);
      const { status, tokens } = await ask(`chat-${name}`, place);
      expect(status, `after ${used} of ${minimum}`).toBe(200);
      used += tokens;
    }
  }
}, 180_000);

/** Tokens each use is given before ten requests in a row are refused, with four callers at each gateway. */
async function flood(name: string, places: readonly number[]) {
  let largest = 0;
  const drain = async (model: string): Promise<number> => {
    let given = 0;
    let refusedInARow = 0;
    await Promise.all(
      places.flatMap((place) => [place, place, place, place]).map(async (place) => {
        while (refusedInARow < 10) {
          const { status, tokens } = await ask(model, place);
          refusedInARow = status === 429 ? refusedInARow + 1 : 0;
          given += tokens;
          largest = Math.max(largest, tokens);
        }
      }),
    );
    return given;
  };
  const docs = await drain(`docs-${name}`);
  const unassigned = await drain(`unassigned-${name}`);
  // What callers in flight at the limit had reserved too little: while sizes are learned, a third of a request.
  const overshoot = largest + places.length * 4 * largest / 3;
  return { docs, unassigned, largest, overshoot };
}

async function ask(model: string, at: number): Promise<{ status: number; tokens: number }> {
  const response = await gateways.ask(model, {
    at,
    content: "many words to be counted ".repeat(24),
  });
  const { usage } = await response.json();
  if (response.status === 200) return { status: 200, tokens: usage.total_tokens };
  expect(response.status).toBe(429);
  return { status: 429, tokens: 0 };
}
