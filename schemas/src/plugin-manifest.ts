import Type from "typebox";

/*
 * A plugin's manifest is its package.json. Core learns from it what it would otherwise have to know about a vendor:
 * environment variables, what the first run creates, key formats to redact, HTTP paths.
 */

const Identifier = Type.String({
  pattern: "^[a-z][a-z0-9-]{0,62}$",
  description: "Lower-case letters, digits and hyphens, beginning with a letter",
});

const PackagePath = Type.String({
  pattern: "^\\./(?!(.*/)?\\.\\.(/|$)).+$",
  description: "A path inside the package, beginning with ./",
});

const VariableName = Type.String({
  pattern: "^[A-Z][A-Z0-9_]*$",
  description: "Name of an environment variable",
});

const MemberName = Type.String({ pattern: "^[A-Za-z][A-Za-z0-9]*$" });

const OperationName = Type.Enum(["chat", "embeddings", "count-tokens", "models"]);

const common = {
  id: Identifier,
  label: Type.String({ minLength: 1, maxLength: 80, description: "Name shown to people" }),
  description: Type.Optional(Type.String({ maxLength: 500 })),
  configuration: Type.Optional(PackagePath),
};

const selectable = {
  /** The contribution takes the default's place when one of these variables is set. */
  selectedBy: Type.Optional(Type.Array(VariableName, {
    minItems: 1,
    description:
      "Environment variables; when one is set, this contribution is used in place of the default",
  })),
};

const closed = { additionalProperties: false } as const;

const HttpPath = Type.String({ pattern: "^(/[a-z0-9_-]+)+(/\\{name\\})?$" });
const PathPrefix = Type.String({ pattern: "^(/[a-z0-9_-]+)*$" });

const InboundRoute = Type.Object({
  method: Type.Enum(["GET", "POST"]),
  operation: OperationName,
  endpoint: Type.Optional(Type.String({
    pattern: "^[A-Z][A-Z_]*$",
    description: "The word audit rows know the endpoint by; absent for routes without an audit row",
  })),
  long: Type.Array(HttpPath, {
    description: "Paths below /v1/completion/{workspaceId}/{environmentId}",
  }),
  short: Type.Array(HttpPath, { description: "Paths below /v1" }),
}, closed);

const Inbound = Type.Object({
  routes: Type.Array(InboundRoute, { minItems: 1 }),
  probes: Type.Optional(Type.Object({
    long: Type.Optional(Type.Array(PathPrefix)),
    short: Type.Optional(Type.Array(PathPrefix)),
  }, {
    ...closed,
    description: "Prefixes below both bases that answer GET and HEAD with an empty 200",
  })),
}, { ...closed, description: "HTTP paths at which callers may speak the dialect" });

const Bootstrap = Type.Object({
  always: Type.Optional(Type.Boolean({
    description: "True creates the connection at every first run, variables or not",
  })),
  connection: Type.Optional(Type.String({
    minLength: 1,
    pattern: "^[^/]+$",
    description: "Name of the connection; the provider's id when absent",
  })),
  resource: Type.Optional(Type.String({
    minLength: 1,
    description: "Name of the AI resource; `<provider>-default` when absent",
  })),
  environment: Type.Optional(Type.Array(
    Type.Object({
      variable: VariableName,
      field: MemberName,
      required: Type.Optional(Type.Boolean({ description: "True when absent" })),
    }, closed),
    {
      minItems: 1,
      description:
        "Variables that fill the connection's configuration; it is created when all required ones are set",
    },
  )),
}, { ...closed, description: "What the first run creates" });

const DialectContribution = Type.Object({
  ...common,
  operations: Type.Array(OperationName, { minItems: 1 }),
  inbound: Type.Optional(Inbound),
}, closed);

const ProviderContribution = Type.Object({
  ...common,
  aliases: Type.Optional(Type.Array(Identifier)),
  logo: Type.Optional(PackagePath),
  defaultModel: Type.Optional(Type.String({ minLength: 1 })),
  telemetryName: Type.Optional(Type.String({
    pattern: "^[a-z][a-z0-9_.-]{0,62}$",
    description: "gen_ai.provider.name of OpenTelemetry's conventions; the id when absent",
  })),
  operations: Type.Array(OperationName, { minItems: 1 }),
  nativeDialects: Type.Array(Identifier, {
    minItems: 1,
    description: "Dialects the service can speak natively, preferred first",
  }),
  bootstrap: Type.Optional(Bootstrap),
  /** A JSON array of rows as `ProviderPrice` describes them. */
  prices: Type.Optional(PackagePath),
  secretPatterns: Type.Optional(Type.Array(Type.String({ minLength: 1, format: "regex" }), {
    description: "Regular expressions of credentials to redact wherever they appear",
  })),
}, closed);

const SharedContribution = Type.Object({
  ...common,
  ...selectable,
  shared: Type.Boolean({ description: "True when several processes see the same state" }),
}, closed);

const SelectableContribution = Type.Object({ ...common, ...selectable }, closed);

const RoutingContribution = Type.Object({
  ...common,
  mode: Type.Enum(["UI", "ADVANCED"], { description: "The mode of rules it evaluates" }),
}, closed);

const PlainContribution = Type.Object(common, closed);

const MetricSinkContribution = Type.Object({
  ...common,
  ...selectable,
  queryable: Type.Optional(Type.Boolean({ description: "True when the sink answers queries" })),
}, closed);

const Settings = Type.Object({
  schema: PackagePath,
  environment: Type.Optional(Type.Record(VariableName, MemberName, {
    ...closed,
    description: "Environment variable -> member of the settings; it wins over a stored value",
  })),
}, { ...closed, description: "The plugin's own settings, given to it as `context.config`" });

/** The entry of each contribution point, by the point's name. */
export const contributionSchemas = {
  dialects: DialectContribution,
  providers: ProviderContribution,
  capacityStores: SharedContribution,
  sharedStates: SharedContribution,
  prioritizations: PlainContribution,
  encryptions: SelectableContribution,
  routings: RoutingContribution,
  metricSinks: MetricSinkContribution,
  identityProviders: SelectableContribution,
  interceptors: PlainContribution,
} as const;

const Contributes = Type.Object({
  settings: Type.Optional(Settings),
  dialects: Type.Optional(Type.Array(DialectContribution)),
  providers: Type.Optional(Type.Array(ProviderContribution)),
  capacityStores: Type.Optional(Type.Array(SharedContribution)),
  sharedStates: Type.Optional(Type.Array(SharedContribution)),
  prioritizations: Type.Optional(Type.Array(PlainContribution)),
  encryptions: Type.Optional(Type.Array(SelectableContribution)),
  routings: Type.Optional(Type.Array(RoutingContribution)),
  metricSinks: Type.Optional(Type.Array(MetricSinkContribution)),
  identityProviders: Type.Optional(Type.Array(SelectableContribution)),
  interceptors: Type.Optional(Type.Array(PlainContribution)),
}, closed);

/**
 * A plugin's package.json as the plugin host reads it. Members npm knows are left alone.
 *
 * @example
 * { "name": "vmx-provider-acme", "version": "1.0.0", "engines": { "vmx": "^0.1.0" },
 *   "contributes": { "providers": [{ "id": "acme", "label": "Acme", "operations": ["chat"],
 *     "nativeDialects": ["openai-chat"], "configuration": "./configuration.schema.json" }] } }
 */
export const PluginManifest = Type.Object({
  name: Type.String({ minLength: 1, maxLength: 214 }),
  version: Type.String({ pattern: "^\\d+\\.\\d+\\.\\d+" }),
  description: Type.Optional(Type.String()),
  keywords: Type.Optional(Type.Array(Type.String())),
  engines: Type.Object({
    vmx: Type.String({ minLength: 1, description: "Range of core versions the plugin works with" }),
  }),
  activationEvents: Type.Optional(Type.Array(
    Type.String({ pattern: "^(onStartup|on[A-Z][A-Za-z]*:[a-z][a-z0-9-]*)$" }),
    { description: "Derived from the contributions when absent; write it only for onStartup" },
  )),
  contributes: Contributes,
}, { title: "PluginManifest", description: "The manifest of a VM-X plugin: its package.json" });

/** See the schema of the same name. */
export type PluginManifest = Type.Static<typeof PluginManifest>;

/** What the first run creates for a provider. */
export type ProviderBootstrap = Type.Static<typeof Bootstrap>;

/** A provider's manifest entry. */
export type ProviderContribution = Type.Static<typeof ProviderContribution>;

/** A dialect's manifest entry. */
export type DialectContribution = Type.Static<typeof DialectContribution>;

/** One HTTP path group of an inbound dialect. */
export type InboundRoute = Type.Static<typeof InboundRoute>;
