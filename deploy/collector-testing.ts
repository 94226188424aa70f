import { createServer, type IncomingHttpHeaders } from "node:http";
import protobuf from "protobufjs";

/* The parts of OpenTelemetry's protocol (opentelemetry-proto v1) that the tests read, with their field numbers. */
const schema = `
syntax = "proto3";
package otlp;
message AnyValue {
  oneof value { string string_value = 1; bool bool_value = 2; int64 int_value = 3; double double_value = 4; ArrayValue array_value = 5; }
}
message ArrayValue { repeated AnyValue values = 1; }
message KeyValue { string key = 1; AnyValue value = 2; }
message Resource { repeated KeyValue attributes = 1; }
message Status { string message = 2; int32 code = 3; }
message Event { fixed64 time_unix_nano = 1; string name = 2; repeated KeyValue attributes = 3; }
message Span {
  bytes trace_id = 1; bytes span_id = 2; string trace_state = 3; bytes parent_span_id = 4; string name = 5; int32 kind = 6;
  fixed64 start_time_unix_nano = 7; fixed64 end_time_unix_nano = 8; repeated KeyValue attributes = 9;
  repeated Event events = 11; Status status = 15;
}
message ScopeSpans { repeated Span spans = 2; }
message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; }
message Traces { repeated ResourceSpans resource_spans = 1; }
message NumberPoint { repeated KeyValue attributes = 7; fixed64 start_time_unix_nano = 2; fixed64 time_unix_nano = 3; oneof value { double as_double = 4; sfixed64 as_int = 6; } }
message HistogramPoint { repeated KeyValue attributes = 9; fixed64 start_time_unix_nano = 2; fixed64 time_unix_nano = 3; fixed64 count = 4; double sum = 5; repeated fixed64 bucket_counts = 6; repeated double explicit_bounds = 7; }
message Gauge { repeated NumberPoint data_points = 1; }
message Sum { repeated NumberPoint data_points = 1; int32 aggregation_temporality = 2; bool is_monotonic = 3; }
message Histogram { repeated HistogramPoint data_points = 1; int32 aggregation_temporality = 2; }
message Metric { string name = 1; string description = 2; string unit = 3; oneof data { Gauge gauge = 5; Sum sum = 7; Histogram histogram = 9; } }
message ScopeMetrics { repeated Metric metrics = 2; }
message ResourceMetrics { Resource resource = 1; repeated ScopeMetrics scope_metrics = 2; }
message Metrics { repeated ResourceMetrics resource_metrics = 1; }
`;

/** A span as it came over the wire. */
export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly name: string;
  /** 1 internal, 2 server, 3 client. */
  readonly kind: number;
  readonly status: number;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly resource: Readonly<Record<string, unknown>>;
}

/** A collector in the hands of a test. */
export interface TestCollector {
  readonly url: string;
  readonly spans: ReceivedSpan[];
  /** Points by metric, the last report wins. */
  readonly metrics: Map<string, readonly object[]>;
  /** Headers of the reports. */
  readonly headers: IncomingHttpHeaders[];
  /** Everything that came, as text, for the search after what must not be in it. */
  readonly raw: string[];
  /** How the next reports are met. */
  behave: "take" | "refuse" | "hang";
  /** Closes the connections of reports that hang. */
  breakOff(): void;
  stop(): Promise<void>;
}

interface Attribute {
  readonly key: string;
  readonly value: Record<string, unknown> & { arrayValue?: { values: Record<string, unknown>[] } };
}

/** Starts a receiver of OTLP over HTTP in protobuf. */
export async function startTestCollector(): Promise<TestCollector> {
  const root = protobuf.parse(schema).root;
  const decode = (type: string, bytes: Buffer) => {
    const message = root.lookupType(`otlp.${type}`);
    return message.toObject(message.decode(bytes), { longs: Number, bytes: String, arrays: true });
  };
  const hex = (base64: string = "") => Buffer.from(base64, "base64").toString("hex");
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const bytes = Buffer.concat(chunks);
      collector.headers.push(request.headers);
      collector.raw.push(bytes.toString("latin1"));
      if (collector.behave === "hang") return;
      if (collector.behave === "refuse") return void response.writeHead(400).end();
      if (request.url === "/v1/traces") {
        for (const { resource, scopeSpans } of decode("Traces", bytes)["resourceSpans"]) {
          for (const span of scopeSpans.flatMap((scope: { spans: object[] }) => scope.spans)) {
            collector.spans.push({
              traceId: hex(span.traceId),
              spanId: hex(span.spanId),
              parentSpanId: hex(span.parentSpanId),
              name: span.name,
              kind: span.kind,
              status: span.status?.code ?? 0,
              attributes: attributesOf(span.attributes),
              resource: attributesOf(resource.attributes),
            });
          }
        }
      } else {
        for (const { scopeMetrics } of decode("Metrics", bytes)["resourceMetrics"]) {
          for (const { metrics } of scopeMetrics) {
            for (const { name, gauge, sum, histogram } of metrics) {
              const { dataPoints } = gauge ?? sum ?? histogram;
              collector.metrics.set(
                name,
                dataPoints.map((point: { attributes: Attribute[] }) => ({
                  ...point,
                  attributes: attributesOf(point.attributes),
                })),
              );
            }
          }
        }
      }
      response.writeHead(200, { "content-type": "application/x-protobuf" }).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  const collector: TestCollector = {
    url: `http://127.0.0.1:${port}`,
    spans: [],
    metrics: new Map(),
    headers: [],
    raw: [],
    behave: "take",
    breakOff: () => server.closeAllConnections(),
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return collector;
}

function attributesOf(attributes: readonly Attribute[]): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [
    key,
    value.arrayValue
      ? value.arrayValue.values.map((one) => Object.values(one)[0])
      : Object.values(value)[0],
  ]));
}
