import type { Span } from "../contract/index.ts";
import type { Exchange, Outcome } from "../gateway/exchange.ts";
import { startTestGateway, type TestGateway } from "../gateway/testing.ts";
import { finishedRecord } from "../records/record.ts";
import { createTelemetry, type GatewayTelemetry } from "./create-telemetry.ts";

/** A data plane whose telemetry is read. */
export interface TestTelemetry {
  readonly gateway: TestGateway;
  readonly telemetry: GatewayTelemetry;
  /** Spans of finished requests, in order. */
  readonly spans: Span[];
  /** Values of a metric by its labels, written `name=value,...`. */
  values(metric: string): Record<string, number>;
  post(path: string, body: object, headers?: Record<string, string>): Promise<Response>;
  stop(): Promise<void>;
}

/** Starts a data plane that counts and traces. */
export async function startTestTelemetry(
  options: { readonly propagate?: boolean; readonly traced?: boolean } = {},
): Promise<TestTelemetry> {
  const gateway = await startTestGateway();
  const { services } = gateway;
  const spans: Span[] = [];
  const telemetry = createTelemetry({
    propagate: options.propagate ?? false,
    providerName: (id) => id,
    log: services.log,
  });
  telemetry.count();
  if (options.traced ?? true) {
    telemetry.forSink("test").trace({
      isSampled: (_traceId, parentSampled) => parentSampled ?? true,
      take: (finished) => void spans.push(...finished),
    });
  }
  const { onFinished } = services;
  Object.assign(services, {
    onStarted: (exchange: Exchange) => telemetry.onStarted(exchange),
    legHeaders: telemetry.legHeaders,
    onFinished(outcome: Outcome) {
      onFinished(outcome);
      telemetry.onFinished(
        outcome,
        outcome.exchange.caller ? finishedRecord(outcome) : undefined,
      );
    },
  });
  return {
    gateway,
    telemetry,
    spans,
    values(metric) {
      const family = telemetry.families().find(({ name }) => name === metric);
      return Object.fromEntries((family?.points ?? []).map(({ labels, value, buckets }) => [
        Object.entries(labels).map(([name, text]) => `${name}=${text}`).join(","),
        buckets?.count ?? value,
      ]));
    },
    post: (path, body, headers = {}) =>
      fetch(gateway.baseURL + path, {
        method: "POST",
        headers: { authorization: `Bearer ${gateway.apiKey}`, ...headers },
        body: JSON.stringify(body),
      }),
    stop: () => gateway.stop(),
  };
}
