import type { AnswerFacts, JsonObject } from "../contract/index.ts";
import { elapsedMs, type Exchange } from "./exchange.ts";

/** The figures an answer carries in its `vmx` member or metrics frame. */
export function answerMetrics(
  exchange: Exchange,
  timeToFirstTokenMs: number | undefined,
  legStartedAt: number,
  facts: AnswerFacts,
): JsonObject {
  const totalDurationMs = elapsedMs(exchange);
  const legMs = exchange.services.clock.monotonic() - legStartedAt;
  const output = facts.tokens?.completionTotal ?? null;
  const seconds = (legMs - (timeToFirstTokenMs ?? 0)) / 1000;
  return {
    gateDurationMs: round(gateDurationMs(exchange)),
    routingDurationMs: exchange.routing?.evaluated ? exchange.routing.durationMs : null,
    timeToFirstTokenMs: round(timeToFirstTokenMs ?? null),
    tokensPerSecond: output !== null && seconds > 0.001 ? round(output / seconds) : null,
    totalDurationMs: round(totalDurationMs),
  };
}

/** Time all legs took at their limits; null when no leg came to them. */
function gateDurationMs({ legs }: Exchange): number | null {
  const gates = legs.flatMap(({ gate }) => gate && gate.result !== "skipped" ? [gate] : []);
  return gates.length === 0 ? null : gates.reduce((sum, { durationMs }) => sum + durationMs, 0);
}

function round(value: number | null): number | null {
  return value === null ? null : Math.round(value * 100) / 100;
}
