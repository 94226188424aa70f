import { afterAll, beforeAll, expect, test } from "vitest";
import type { JsonObject } from "../contract/index.ts";
import { finishedRecord } from "../records/record.ts";
import { callerDialects, leastRequest } from "./callers.ts";
import { isBroken } from "./known-differences.ts";
import { hasRecordings, readRecordings, recordingsRoot } from "./recordings.ts";
import { reportedTokens } from "./reported-tokens.ts";
import { services } from "./services.ts";
import { framesOf } from "./replay.ts";
import { openStage, type Setting, type Stage } from "./stage.ts";

let stage: Stage;

beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());

const title = hasRecordings
  ? "the tokens of a record are those the provider reported"
  : `the tokens of a record are those the provider reported (skipped: nothing at ${recordingsRoot})`;

for (const service of services.filter(({ operation }) => operation === "chat")) {
  test.runIf(hasRecordings)(`${title}: ${service.folder}`, async () => {
    const wrong: string[] = [];
    let compared = 0;
    for (const [index, recording] of readRecordings(service.folder).entries()) {
      if (recording.status >= 400 || isBroken(recording)) continue;
      const native = service.dialect(recording);
      // Callers take turns, so that translated answers count as those passed through.
      const caller = index % 2 === 0 && callerDialects.includes(native)
        ? native
        : callerDialects[index % callerDialects.length]!;
      const setting = await stage.prepare(service, recording, caller);
      const before = stage.outcomes.length;
      await stage.ask(leastRequest(caller, recording)).catch(() => undefined);
      for (let round = 0; round < 100 && stage.outcomes.length === before; round++) {
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      const outcome = stage.outcomes.at(-1);
      const reported = reportedTokens(documentsOf(setting));
      if (!outcome || outcome.status !== "ok" || !reported) continue;
      const { tokens, usageSource, warnings } = finishedRecord(outcome);
      const recorded = {
        prompt: tokens?.promptTokens ?? null,
        completion: tokens?.completionTokens ?? null,
        cacheRead: tokens?.inputCacheRead ?? null,
        cacheWrite: sum(tokens?.inputCacheWrite5m, tokens?.inputCacheWrite1h),
        reasoning: tokens?.reasoning ?? null,
      };
      compared++;
      const told = `${recording.name} for ${caller}`;
      if (JSON.stringify(recorded) !== JSON.stringify(reported)) {
        wrong.push(`${told}: ${JSON.stringify(recorded)}, reported ${JSON.stringify(reported)}`);
      }
      if (usageSource !== "provider") wrong.push(`${told}: usage is ${usageSource}`);
      const adds = sum(
        tokens?.inputUncached,
        tokens?.inputCacheRead,
        tokens?.inputCacheWrite5m,
        tokens?.inputCacheWrite1h,
        tokens?.audioInput,
      ) === (tokens?.promptTokens ?? null);
      if (!adds && !warnings.some(({ code }) => code === "usage_inconsistent")) {
        wrong.push(`${told}: classes do not add up, and nothing says so`);
      }
    }
    console.log(`${service.folder}: ${compared} compared`);
    expect(wrong).toEqual([]);
    expect(compared).toBeGreaterThan(0);
  });
}

function documentsOf(setting: Setting): JsonObject[] {
  const { recording, replay } = setting;
  if (!recording.stream) return [JSON.parse(recording.body.toString()) as JsonObject];
  return framesOf(replay).flatMap(({ data }) => {
    try {
      return [JSON.parse(data) as JsonObject];
    } catch {
      return [];
    }
  });
}

function sum(...counts: readonly (number | null | undefined)[]): number | null {
  const known = counts.filter((count) => count !== null && count !== undefined);
  return known.length === 0 ? null : known.reduce((total, count) => total + count, 0);
}
