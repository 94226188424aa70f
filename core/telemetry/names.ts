/*
 * Every name the gateway reports under, in one place. `gen_ai.*` are OpenTelemetry's semantic conventions for
 * generative AI, whose status is "development": a change of theirs is a change of this file alone.
 */

/** What is fixed about a metric. */
export interface MetricDefinition {
  readonly name: string;
  readonly type: "counter" | "gauge" | "histogram";
  /** By UCUM. */
  readonly unit: string;
  readonly description: string;
  /** Labels beside those of the label set, in the order their values are given. */
  readonly labels: readonly string[];
  /** Upper bounds of a histogram's buckets. */
  readonly bounds: readonly number[];
}

const none: readonly string[] = [];
const wholeCalls = [
  0.01,
  0.02,
  0.04,
  0.08,
  0.16,
  0.32,
  0.64,
  1.28,
  2.56,
  5.12,
  10.24,
  20.48,
  40.96,
  81.92,
];
const tokenSteps = [
  ...[1, 4, 16, 64, 256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304],
  ...[16_777_216, 67_108_864],
];
const firstTokens = [
  0.001,
  0.005,
  0.01,
  0.02,
  0.04,
  0.06,
  0.08,
  0.1,
  0.25,
  0.5,
  0.75,
  1,
  2.5,
  5,
  7.5,
  10,
];
const ownWork = [
  0.0001,
  0.00025,
  0.0005,
  0.001,
  0.0025,
  0.005,
  0.01,
  0.025,
  0.05,
  0.1,
  0.25,
  0.5,
  1,
  5,
];
const speeds = [1, 5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560];

/** Names of what `gen_ai.*` metrics and spans carry. */
export const genAi = {
  operation: "gen_ai.operation.name",
  provider: "gen_ai.provider.name",
  requestModel: "gen_ai.request.model",
  responseModel: "gen_ai.response.model",
  responseId: "gen_ai.response.id",
  finishReasons: "gen_ai.response.finish_reasons",
  maxTokens: "gen_ai.request.max_tokens",
  temperature: "gen_ai.request.temperature",
  topP: "gen_ai.request.top_p",
  tokenType: "gen_ai.token.type",
  inputTokens: "gen_ai.usage.input_tokens",
  outputTokens: "gen_ai.usage.output_tokens",
  cacheReadTokens: "gen_ai.usage.cache_read.input_tokens",
  cacheCreationTokens: "gen_ai.usage.cache_creation.input_tokens",
  reasoningTokens: "gen_ai.usage.reasoning.output_tokens",
} as const;

/** Names of spans' other attributes. */
export const spanNames = {
  errorType: "error.type",
  serverAddress: "server.address",
  method: "http.request.method",
  route: "http.route",
  path: "url.path",
  statusCode: "http.response.status_code",
  clientAddress: "client.address",
  requestId: "vmx.request.id",
  workspaceId: "vmx.workspace.id",
  environmentId: "vmx.environment.id",
  resourceName: "vmx.resource.name",
  connectionId: "vmx.connection.id",
  legIndex: "vmx.leg.index",
  legKind: "vmx.leg.kind",
  matchedRoute: "vmx.routing.matched",
  metadata: "vmx.metadata.",
} as const;

/** Every metric, by the name the code knows it under. */
export const definitions = {
  operationDuration: histogram(
    "gen_ai.client.operation.duration",
    "s",
    "Duration of a call to a model",
    wholeCalls,
    [
      "error.type",
    ],
  ),
  tokenUsage: histogram(
    "gen_ai.client.token.usage",
    "{token}",
    "Tokens of a call to a model",
    tokenSteps,
    [
      genAi.tokenType,
    ],
  ),
  serverFirstToken: histogram(
    "gen_ai.server.time_to_first_token",
    "s",
    "Time to a stream's first content",
    firstTokens,
  ),

  requests: counter("vmx.gateway.requests", "{request}", "Finished requests", [
    "operation",
    "format",
    "outcome",
    "status_class",
  ]),
  legs: counter("vmx.gateway.legs", "{leg}", "Attempts of a model slot", [
    "kind",
    "outcome",
    "reason",
  ]),
  fallbacks: counter("vmx.gateway.fallbacks", "{leg}", "Legs after which another one was tried", [
    "reason",
  ]),
  retries: counter("vmx.gateway.retries", "{call}", "Repeated calls inside legs"),
  aborted: counter("vmx.gateway.aborted", "{request}", "Requests whose caller left"),
  partial: counter(
    "vmx.gateway.partial",
    "{request}",
    "Streams that broke off after their first content",
  ),

  requestDuration: histogram(
    "vmx.gateway.request.duration",
    "s",
    "From arrival to the last byte",
    wholeCalls,
    ["operation"],
  ),
  overhead: histogram(
    "vmx.gateway.overhead",
    "s",
    "Duration of a request without its providers",
    ownWork,
    ["operation"],
  ),
  gateDuration: histogram(
    "vmx.gateway.gate.duration",
    "s",
    "Time a leg took at its limits",
    ownWork,
  ),
  routingDuration: histogram("vmx.gateway.routing.duration", "s", "Time the rules took", ownWork),
  providerDuration: histogram(
    "vmx.gateway.provider.duration",
    "s",
    "Time a leg spent with its provider",
    wholeCalls,
  ),
  firstToken: histogram(
    "vmx.gateway.time.to.first.token",
    "s",
    "From the call to the first content",
    firstTokens,
  ),
  tokensPerSecond: histogram(
    "vmx.gateway.tokens.per.second",
    "{token}/s",
    "Speed of an answer after its first content",
    speeds,
  ),

  requestTokens: counter("vmx.gateway.request.tokens", "{token}", "Input tokens"),
  responseTokens: counter("vmx.gateway.response.tokens", "{token}", "Output tokens"),
  totalTokens: counter("vmx.gateway.total.tokens", "{token}", "Input and output tokens"),
  cacheTokens: counter(
    "vmx.gateway.cache.tokens",
    "{token}",
    "Input tokens read from a provider's cache",
  ),
  cacheCreationTokens: counter(
    "vmx.gateway.cache.creation.tokens",
    "{token}",
    "Input tokens written to a provider's cache",
  ),
  reasoningTokens: counter(
    "vmx.gateway.reasoning.tokens",
    "{token}",
    "Output tokens spent on reasoning",
  ),
  cost: counter("vmx.gateway.cost", "{nano}", "Cost in nano-units of its currency", ["currency"]),
  unpriced: counter(
    "vmx.cost.unpriced",
    "{request}",
    "Requests that used something without a price",
  ),

  usageMissing: counter(
    "vmx.gateway.usage.missing",
    "{request}",
    "Served requests whose usage nobody reported",
  ),
  translationWarnings: counter(
    "vmx.gateway.translation.warnings",
    "{warning}",
    "Losses of translation",
    ["code"],
  ),
  routingErrors: counter(
    "vmx.gateway.routing.errors",
    "{error}",
    "Rules that could not be evaluated",
  ),
  authFailures: counter(
    "vmx.gateway.auth.failures",
    "{request}",
    "Requests refused for their credential",
    ["status_class"],
  ),

  capacityDenied: counter("vmx.gateway.capacity.denied", "{leg}", "Limits that refused a leg", [
    "level",
    "period",
    "axis",
  ]),
  poolDenied: counter("vmx.gateway.pool.denied", "{leg}", "Pool rules that refused a leg", [
    "pool",
    "rule",
  ]),
  capacityUsed: gauge(
    "vmx.gateway.capacity.used.ratio",
    "1",
    "Used part of a limit, as last seen",
    ["level", "period", "axis"],
  ),
  capacityStore: histogram(
    "vmx.gateway.capacity.store.duration",
    "s",
    "Duration of a call to the capacity store",
    ownWork,
  ),
  capacityDegraded: gauge(
    "vmx.gateway.capacity.degraded",
    "1",
    "1 while limits are kept without their store",
  ),
  capacityExpired: counter(
    "vmx.gateway.capacity.expired",
    "{reservation}",
    "Reservations nobody ended",
  ),
  poolShare: gauge("vmx.gateway.pool.share", "%", "Share of a connection a pool has", ["pool"]),
  poolDemand: gauge("vmx.gateway.pool.demand", "{token}", "Tokens a pool asked for in the window", [
    "pool",
  ]),
  allocationViolations: counter(
    "vmx.gateway.allocation.violations",
    "{violation}",
    "Breaches of the allocation law",
  ),

  inflight: gauge("vmx.gateway.inflight", "{request}", "Requests under way"),
  streams: gauge("vmx.gateway.streams", "{request}", "Streams under way"),
  eventLoopDelay: gauge(
    "vmx.gateway.eventloop.delay",
    "s",
    "Delay of the event loop since the last look",
    ["percentile"],
  ),
  snapshotRevision: gauge(
    "vmx.gateway.snapshot.revision",
    "1",
    "Revision of the configuration that serves",
  ),
  snapshotAge: gauge(
    "vmx.gateway.snapshot.age",
    "s",
    "Time since the database last confirmed the configuration",
  ),

  spoolBytes: gauge("vmx.audit.spool.bytes", "By", "Records on disk that are not shipped yet"),
  spoolOldest: gauge(
    "vmx.audit.spool.oldest.age",
    "s",
    "Age of the oldest record that is not shipped yet",
  ),
  shipped: counter("vmx.audit.shipped", "{record}", "Records shipped to the database"),
  lost: counter("vmx.audit.lost", "{record}", "Records that were lost"),
  sinkDropped: counter("vmx.sink.dropped", "{item}", "Points and spans a sink had to throw away", [
    "sink",
  ]),

  batchItems: gauge("vmx.batch.items", "{item}", "Batch items by state", ["state"]),
  callbackFailures: counter(
    "vmx.batch.callback.failures",
    "{call}",
    "Deliveries to callbacks that failed",
  ),
} as const satisfies Readonly<Record<string, MetricDefinition>>;

/** The code's name of a metric. */
export type MetricName = keyof typeof definitions;

function counter(name: string, unit: string, description: string, labels = none): MetricDefinition {
  return { name, type: "counter", unit, description, labels, bounds: [] };
}

function gauge(name: string, unit: string, description: string, labels = none): MetricDefinition {
  return { name, type: "gauge", unit, description, labels, bounds: [] };
}

function histogram(
  name: string,
  unit: string,
  description: string,
  bounds: readonly number[],
  labels = none,
): MetricDefinition {
  return { name, type: "histogram", unit, description, labels, bounds };
}
