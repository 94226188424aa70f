import type { Statements } from "../store/statements.ts";
import { type ClassDay, createPartitions } from "./partitions.ts";
import { silentLog } from "../store/testing.ts";
import { rollupTables } from "./usage/rollups.ts";

const dayMs = 86_400_000;

/** The environment nine of ten seeded rows belong to. */
export const seededEnvironment = "22222222-2222-4222-8222-222222222222";

/** Tables of records by the retention setting they follow. */
export const recordTables = {
  audit: ["audit", "audit_payloads", "usage_points"],
  usage: rollupTables,
};

/**
 * Writes audit rows as a month of use leaves them: a few large resources and many small ones, rare failures, metadata
 * of many values. What is rare is there to be looked for.
 */
export async function seedAudit(
  statements: Statements,
  rows: number,
  days: number,
  now: number,
): Promise<void> {
  const partitions = createPartitions(statements, recordTables, silentLog);
  const classDays = Array.from({ length: days + 3 }, (_, day): ClassDay => ({
    kind: "audit",
    retentionClass: 90,
    at: now - (day - 2) * dayMs,
  }));
  await partitions.ensure(classDays);
  const from = now - days * dayMs;
  const parts = 2 * days;
  const each = Math.ceil(rows / parts);
  const one = async (part: number) => {
    await statements.transaction((query) =>
      query(seedSql(statements.schema), [
        part * each,
        Math.min(rows, (part + 1) * each) - 1,
        from,
        (days * dayMs) / rows,
      ])
    );
  };
  let next = 0;
  await Promise.all([0, 1].map(async () => {
    while (next < parts) await one(next++);
  }));
  // As the server does by itself in time: partitions, not the table above them.
  for (const { retentionClass, at } of classDays) {
    const day = new Date(at).toISOString().slice(0, 10).replaceAll("-", "");
    await statements.write(`analyze ${statements.schema}."audit_${retentionClass}_${day}"`);
  }
}

/** A UUID whose last digits are a number, as the seed makes them. */
export function seededId(number: number): string {
  return `00000000-0000-4000-8000-${String(number).padStart(12, "0")}`;
}

const legs = (kind: string) =>
  JSON.stringify([
    ...(kind === "fallback" ? [leg("primary", "failed")] : []),
    leg(kind, "ok"),
  ]);

function leg(kind: string, outcome: string) {
  return {
    index: 0,
    kind,
    connectionId: seededId(1),
    connectionName: "main",
    provider: "echo",
    model: "a-model-of-some-length-2026",
    credentialVersion: 1,
    startedAt: "2026-01-01T00:00:00.000Z",
    durationMs: 812.44,
    gate: { durationMs: 0.3, result: "admitted", meters: [], failing: [], reserved: 900 },
    retries: [],
    providerRequestId: "request-0123456789",
    statusCode: outcome === "ok" ? 200 : 503,
    outcome,
    failureReason: outcome === "ok" ? null : "overloaded",
    errorCode: null,
    errorMessage: null,
    timeToFirstTokenMs: 210.1,
    tokens: null,
    warnings: [],
  };
}

function seedSql(schema: string): string {
  const uuid = (number: string) =>
    `('00000000-0000-4000-8000-' || lpad((${number})::text, 12, '0'))::uuid`;
  // Squared: the first of each kind is the most frequent.
  const skewed = (random: string, of: number) => `floor(${random} * ${random} * ${of})::int`;
  return `
insert into ${schema}.audit (audit_class, timestamp, request_id, usage_class, workspace_id, environment_id, type,
  endpoint, stream, correlation_id, metadata, api_key_id, api_key_name, api_key_labels, user_id, source_ip, user_agent,
  resource_id, resource_name, connection_id, provider, model, provider_model, status, status_code, error_code,
  error_message, failure_reason, finish_reason, warnings, total_duration_ms, gate_duration_ms, provider_duration_ms,
  time_to_first_token_ms, tokens_per_second, tokens, usage_source, cost, events, legs, revision, payload_capture)
select 90, at,
  (lpad(to_hex(ms), 12, '0') || '7' || substr(digest, 1, 3) || 'a' || substr(digest, 4, 15))::uuid,
  400, ${uuid("1")},
  case when f < 0.9 then '${seededEnvironment}'::uuid else ${uuid("9")} end,
  'COMPLETION', 'CHAT_COMPLETIONS', c < 0.5,
  case when b < 0.3 then 'order-' || (n / 3) end,
  case when c < 0.7 then jsonb_build_object('team', 'team-' || ${
    skewed("d", 20)
  }, 'user', 'user-' || ${skewed("e", 20_000)}, 'feature', 'feature-' || ${
    skewed("b", 50)
  }) else '{}' end,
  ${uuid(skewed("b", 200))}, 'key ' || ${skewed("b", 200)},
  case when d < 0.9 then '["production"]'::jsonb when d < 0.9995 then '["staging", "nightly"]'
    else '["rare"]' end,
  case when e < 0.02 then ${uuid(skewed("d", 50))} end, '10.1.2.3', 'sdk/4.2 node/24',
  ${uuid(skewed("d", 40))}::text, 'resource ' || ${skewed("d", 40)},
  ${uuid(skewed("d", 40))}::text, (array['one', 'two', 'three'])[1 + ${skewed("d", 3)}],
  case when e < 0.0001 then 'seldom-used-model' else 'model-' || ${skewed("d", 30)} || '-2026' end,
  'model-' || ${skewed("d", 30)} || '-2026-01',
  status, case status when 'ok' then 200 when 'error' then 502 when 'denied' then 429 when 'blocked' then 403 end,
  case status when 'ok' then null else 'upstream_error' end,
  case status when 'ok' then null else 'The provider answered with 503: overloaded' end,
  case status when 'error' then 'overloaded' end, case status when 'ok' then 'end' end,
  case when b > 0.999 then '[{"code": "unsupported_parameter", "path": "/top_k", "action": "dropped"}]'::jsonb
    else '[]' end,
  duration, 0.4, duration - 2, least(duration, 250), 48.5,
  '{"inputUncached": 812, "inputCacheRead": 0, "output": 214, "promptTokens": 812, "completionTokens": 214, '
    '"totalTokens": 1026}'::jsonb, 'provider',
  '{"currency": "USD", "priceVersion": 1, "total": 4650000, "output": 3210000, "inputUncached": 1440000}'::jsonb,
  '[]', case when e > 0.998 then '${legs("fallback")}'::jsonb else '${
    legs("primary")
  }'::jsonb end, 12, 'full'
from (
  select *, to_timestamp(ms / 1000.0) as at, 300 + 2000 * power(e, 8) + case when e > 0.99999 then 60000 else 0 end
      as duration,
    case when a < 0.93 then 'ok' when a < 0.97 then 'error' when a < 0.99 then 'denied' when a < 0.9999 then 'aborted'
      else 'blocked' end as status
  from (
    select n, ($3::float8 + n * $4::float8)::bigint as ms, md5(n::text) as digest, random() as a, random() as b,
      random() as c, random() as d, random() as e, random() as f
    from generate_series($1::bigint, $2::bigint) as n
  ) as drawn
) as rows`;
}
