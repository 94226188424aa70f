import { afterAll, beforeAll, expect, test } from "vitest";
import { collect } from "./collect/testing.ts";
import type { Canary } from "./forms.ts";
import {
  type Coverage,
  everyOperation,
  federatedLogins,
  wrongCalls,
} from "./management/testing.ts";
import { callModels } from "./models/testing.ts";
import { readEverything, runCommands } from "./reading/testing.ts";
import { createScanner, type Hit } from "./scanner.ts";
import { createSecrets } from "./secrets/testing.ts";
import { type Kind, kinds, type Piece, type Stage, startStage } from "./stage/testing.ts";
import { failedStarts, outages } from "./weather/testing.ts";

/*
 * A gateway with unmistakable secrets is driven through everything it does, in good weather and bad; what it says and
 * keeps is collected and searched.
 */

type Found = Hit & { readonly kind: Kind };

let stage: Stage | undefined;
let coverage: Coverage;
let revealed: readonly Canary[];
let found: readonly Found[];

beforeAll(async () => {
  const secrets = createSecrets();
  stage = await startStage(secrets);
  coverage = await everyOperation(stage);
  await wrongCalls(stage);
  await federatedLogins(stage);
  const { connections } = await callModels(stage);
  await readEverything(stage);
  await runCommands(stage);
  await outages(stage, connections);
  await readEverything(stage);
  stage.keep("metrics page", "/metrics", await stage.metrics());
  await stage.endGateway();
  await failedStarts(stage);
  revealed = await collect(stage);
  const planted = { name: "planted", value: secrets.planted };
  found = search(stage.pieces, [...secrets.canaries(), ...revealed, planted]);
}, 300_000);

afterAll(async () => {
  await stage?.stop();
}, 60_000);

/** Everything found, apart from what was shown where it may be shown, once. */
function search(pieces: readonly Piece[], canaries: readonly Canary[]): Found[] {
  const values = new Map(canaries.map(({ name, value }) => [name, value]));
  const scanner = createScanner(canaries);
  const shown = new Set<Canary["value"]>();
  return pieces.flatMap(({ kind, place, bytes, allowed = [] }) => {
    // Of the forms of one secret in one place the one that fits best tells most.
    const best = new Map<string, Hit>();
    for (const hit of scanner.scan(place, bytes)) {
      if ((best.get(hit.canary)?.share ?? 0) < hit.share) best.set(hit.canary, hit);
    }
    return [...best.values()].filter(({ canary }) => {
      const value = values.get(canary)!;
      return !allowed.some((one) => one === value) || shown.has(value) || !shown.add(value);
    }).map((hit) => ({ ...hit, kind }));
  });
}

test("every operation of the OpenAPI document was called", () => {
  expect(coverage).toMatchObject({ failed: [], missing: [] });
});

test("what is shown once was shown, and is searched for", () => {
  const ways = [/api-keys$/, /roll$/, /tokens$/, /login$/, /oidc.start/];
  for (const way of ways) {
    expect(revealed.some(({ name }) => way.test(name.split(":")[0]!.split("?")[0]!)), `${way}`)
      .toBe(true);
  }
});

test.each(kinds)("what was planted is found in: %s", (kind) => {
  expect(found.some((hit) => hit.kind === kind && hit.canary === "planted")).toBe(true);
});

test.each(kinds)("no secret is in: %s", (kind) => {
  const leaks = found.filter((hit) => hit.kind === kind && hit.canary !== "planted");
  expect(leaks.slice(0, 20)).toEqual([]);
});
