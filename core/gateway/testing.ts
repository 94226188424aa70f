import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { hash } from "node:crypto";
import { createApiKeyValue } from "../access/api-key-format.ts";
import type { CapacityParts } from "../capacity/index.ts";
import type { Clock, Dialect, Log } from "../contract/index.ts";
import { createPluginHost } from "../host/create-plugin-host.ts";
import { installationRoot } from "../host/discover.ts";
import type { PluginHost } from "../host/plugin-host.ts";
import { createDataPlane } from "../http/data-plane.ts";
import { type HttpServer, listen } from "../http/server.ts";
import { createSourceAddress } from "../http/source-address.ts";
import { createEgressGuard, type EgressSettings } from "../kit/egress.ts";
import { createHttpClient } from "../kit/http.ts";
import { Secret } from "../kit/secret.ts";
import { completeSettings } from "../store/environment-settings.ts";
import type {
  ApiKeyView,
  ConnectionView,
  EnvironmentSettingsView,
  EnvironmentView,
  PoolView,
  ResourceView,
  SlotView,
  Snapshot,
} from "../store/snapshot.ts";
import type { GatewayServices, Outcome } from "./exchange.ts";
import { createTestServices, type TestServices } from "./testing-services.ts";

/** A data plane over real plugins and a configuration in memory; no database. */
export interface TestGateway {
  readonly url: string;
  /** Base URL of the short paths. */
  readonly baseURL: string;
  /** Base URL of the long paths. */
  readonly longBaseURL: string;
  readonly apiKey: string;
  readonly snapshot: MutableSnapshot;
  /** The plugins behind the gateway. */
  readonly host: PluginHost;
  /** Outcomes of finished exchanges, in order. */
  readonly outcomes: Outcome[];
  /** What the way through stands on here. */
  readonly services: TestServices;
  /** One of the installed dialects, for tests that speak like a caller. */
  dialect(id: string): Promise<Dialect>;
  stop(): Promise<void>;
}

/** What tests may change between requests. */
export interface MutableSnapshot {
  setConnection(
    name: string,
    provider: string,
    connection?: Partial<ConnectionView>,
  ): ConnectionView;
  setResource(
    name: string,
    slot: Partial<SlotView>,
    resource?: Partial<ResourceView>,
  ): ResourceView;
  setApiKey(value: string, key?: Partial<ApiKeyView>): ApiKeyView;
  setPools(pools: readonly PoolView[]): void;
  setSettings(settings: Partial<EnvironmentSettingsView>): void;
}

const silent: Log = { debug() {}, info() {}, warn() {}, error() {} };
const workspaceId = "11111111-1111-4111-8111-111111111111";
const environmentId = "22222222-2222-4222-8222-222222222222";

/** Starts a data plane on a free port. Connection `echo` and resource `demo` exist at once. */
export async function startTestGateway(
  limits: Partial<GatewayServices["limits"]> = {},
  timeouts = { connectTimeoutMs: 2_000, idleTimeoutMs: 5_000 },
  egress: EgressSettings = { privateRanges: "allow", allow: [] },
  capacityParts: Partial<CapacityParts> = {},
): Promise<TestGateway> {
  const clock: Clock = { now: () => Date.now(), monotonic: () => performance.now() };
  const guard = createEgressGuard(egress);
  const http = createHttpClient({ ...timeouts, guard, clock });
  const host = await createPluginHost({
    root: installationRoot(),
    coreVersion: "0.1.0",
    environment: {},
    log: silent,
    fetch: http.fetch,
    http,
    clock,
    dataDir: "/nonexistent",
    signal: new AbortController().signal,
  });
  const outcomes: Outcome[] = [];
  const world = createWorld();
  const services = await createTestServices({
    snapshot: world.snapshot,
    host,
    clock,
    log: silent,
    fetch: http.fetch,
    guard,
    limits,
    capacity: capacityParts,
    onFinished(outcome) {
      outcomes.push(outcome);
      return undefined;
    },
  });
  const server: HttpServer = await listen("127.0.0.1", 0, {
    dataPlane: createDataPlane(services, createSourceAddress([]), () => false),
    middleware: [],
    readiness: () => ({ status: "ready" }),
    log: silent,
  });
  const apiKey = createApiKeyValue();
  world.setApiKey(apiKey);
  const echo = world.setConnection("echo", "echo");
  world.setResource("demo", { connectionId: echo.connectionId, provider: "echo", model: "echo" });
  return {
    url: server.url,
    baseURL: `${server.url}/v1`,
    longBaseURL: `${server.url}/v1/completion/${workspaceId}/${environmentId}`,
    apiKey,
    snapshot: world,
    host,
    outcomes,
    services,
    dialect: (id) => host.get("dialects", id),
    async stop() {
      await server.stop(100);
      await services.capacity.stop();
      await host.dispose();
      await http.close();
    },
  };
}

function createWorld(): MutableSnapshot & { snapshot(): Snapshot } {
  const connections = new Map<string, ConnectionView>();
  const resources = new Map<string, ResourceView>();
  const apiKeysByHash = new Map<string, ApiKeyView>();
  let pools: readonly PoolView[] = [];
  let settings = completeSettings({});
  let revision = 1;

  const environment = (): EnvironmentView => ({
    environmentId,
    workspaceId,
    name: "default",
    settings,
    connections: new Map([...connections.values()].map((one) => [one.connectionId, one])),
    connectionsByName: connections,
    resources: new Map([...resources.values()].map((one) => [one.resourceId, one])),
    resourcesByName: resources,
    pools,
  });
  let built = environment();
  const rebuild = () => {
    built = environment();
    revision++;
  };

  return {
    snapshot: () => ({
      revision,
      workspaces: new Map([[workspaceId, { workspaceId, name: "default", members: new Map() }]]),
      environments: new Map([[environmentId, built]]),
      apiKeysByHash,
      users: new Map(),
      tokensByHash: new Map(),
      plugins: new Map(),
      roles: new Map(),
    }),
    setConnection(name, provider, connection = {}) {
      const view: ConnectionView = {
        connectionId: connections.get(name.toLowerCase())?.connectionId ?? crypto.randomUUID(),
        environmentId,
        workspaceId,
        name,
        provider,
        enabled: true,
        allowedModels: [],
        version: 1,
        config: {},
        capacity: [],
        ...connection,
      };
      connections.set(name.toLowerCase(), view);
      rebuild();
      return view;
    },
    setResource(name, slot, resource = {}) {
      const view: ResourceView = {
        resourceId: crypto.randomUUID(),
        environmentId,
        name,
        description: null,
        enabled: true,
        model: createSlot(slot),
        secondaryModels: [],
        fallbackModels: [],
        useFallback: null,
        routing: null,
        defaultArgs: null,
        onLoss: null,
        capacity: [],
        enforceCapacity: false,
        assignedApiKeys: new Set(),
        createdAt: new Date("2026-01-01T00:00:00Z"),
        version: 1,
        ...resource,
      };
      resources.set(name.toLowerCase(), view);
      rebuild();
      return view;
    },
    setApiKey(value, key = {}) {
      const view: ApiKeyView = {
        apiKeyId: crypto.randomUUID(),
        environmentId,
        workspaceId,
        name: "default",
        enabled: true,
        expiresAt: null,
        restrictToAssigned: false,
        allowOverrides: true,
        allowAdHoc: true,
        labels: [],
        enforceCapacity: false,
        capacity: [],
        ...key,
      };
      apiKeysByHash.set(hash("sha256", value, "hex"), view);
      return view;
    },
    setSettings(next) {
      settings = { ...settings, ...next };
      rebuild();
    },
    setPools(next) {
      pools = next;
      rebuild();
    },
  };
}

/** A slot with every default filled in. */
export function createSlot(slot: Partial<SlotView>): SlotView {
  return { connectionId: "", provider: "", model: "m", maxRetries: 0, timeoutMs: null, ...slot };
}

/** A provider's service in the hands of a test. */
export interface ScriptedUpstream {
  /** Base URL up to and including `/v1`. */
  readonly baseUrl: string;
  /** Requests as they came. */
  readonly requests: {
    readonly url: string;
    readonly headers: IncomingMessage["headers"];
    readonly body: string;
  }[];
  /** Milliseconds from a call's arrival to the gateway's breaking it off; one entry per broken call. */
  readonly broken: number[];
  /** What the next calls are answered with; stays until it is replaced. */
  answer: (request: IncomingMessage, response: ServerResponse, body: string) => void;
  /** Connection settings that lead here. */
  readonly config: Readonly<Record<string, unknown>>;
  stop(): Promise<void>;
}

/** Starts a service whose answers the test writes itself. */
export async function startScriptedUpstream(): Promise<ScriptedUpstream> {
  const requests: ScriptedUpstream["requests"] = [];
  const broken: number[] = [];
  const server: Server = createServer((request, response) => {
    const at = performance.now();
    const chunks: Buffer[] = [];
    response.on("close", () => {
      if (!response.writableFinished) broken.push(performance.now() - at);
    });
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = Buffer.concat(chunks).toString("utf8");
      requests.push({ url: request.url ?? "", headers: request.headers, body });
      upstream.answer(request, response, body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  const baseUrl = `http://127.0.0.1:${port}/v1`;
  const upstream: ScriptedUpstream = {
    baseUrl,
    requests,
    broken,
    answer: (_request, response) => response.writeHead(500).end(),
    config: { baseUrl, apiKey: new Secret("sk-upstream-credential-1234567890") },
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return upstream;
}
