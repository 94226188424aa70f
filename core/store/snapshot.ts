import type { Routing } from "@vmx/schemas";
import type { Secret } from "../kit/secret.ts";

/**
 * The read-only copy of all configuration that one process serves from. It is replaced as a whole when a newer
 * revision is loaded and never changed in place, so a request that holds one sees one state from start to end.
 */
export interface Snapshot {
  /** Number raised by every configuration transaction. */
  readonly revision: number;
  readonly workspaces: ReadonlyMap<string, WorkspaceView>;
  readonly environments: ReadonlyMap<string, EnvironmentView>;
  /** API keys by the lower-case hex SHA-256 of their whole value; a rolled key appears under both while in grace. */
  readonly apiKeysByHash: ReadonlyMap<string, ApiKeyView>;
  readonly users: ReadonlyMap<string, UserView>;
  /** Personal access tokens by the lower-case hex SHA-256 of their whole value. */
  readonly tokensByHash: ReadonlyMap<string, TokenView>;
  readonly roles: ReadonlyMap<string, RoleView>;
  /** Plugins somebody has set; one without an entry is enabled with its defaults. */
  readonly plugins: ReadonlyMap<string, PluginSettingView>;
}

/** A workspace with its members. */
export interface WorkspaceView {
  readonly workspaceId: string;
  readonly name: string;
  /** Role of each member by user id. */
  readonly members: ReadonlyMap<string, "OWNER" | "MEMBER">;
}

/** An environment and everything below it. Names are found in lower case. */
export interface EnvironmentView {
  readonly environmentId: string;
  readonly workspaceId: string;
  readonly name: string;
  readonly settings: EnvironmentSettingsView;
  readonly connections: ReadonlyMap<string, ConnectionView>;
  readonly connectionsByName: ReadonlyMap<string, ConnectionView>;
  readonly resources: ReadonlyMap<string, ResourceView>;
  readonly resourcesByName: ReadonlyMap<string, ResourceView>;
  /** The pool definition in its order; empty when there is none. */
  readonly pools: readonly PoolView[];
}

/** A pool as it was defined. */
export interface PoolView {
  readonly name: string;
  /** Lower is served first. */
  readonly rank: number;
  /** Ids of its resources. */
  readonly resources: readonly string[];
  /** Percent of a connection's minute tokens, in steps of 0.001. */
  readonly minReservation: number;
  readonly maxReservation: number;
}

/** Environment settings with every default filled in (see `EnvironmentSettings` in the schemas for meanings). */
export interface EnvironmentSettingsView {
  readonly allowOverrides: boolean;
  readonly allowAdHoc: boolean;
  readonly onLoss: "allow" | "warn" | "reject";
  readonly payloadCapture: "full" | "metadata" | "none";
  readonly auditRetentionDays: number;
  readonly usageRetentionDays: number;
  readonly reservation: "learned" | "max";
  readonly outputTokensBeforeLearning: number;
  readonly prioritization: {
    readonly windowSeconds: number;
    readonly scaleUpThresholdPercent: number;
    readonly cooldownSeconds: number;
  };
  readonly [key: string]: unknown;
}

/** A connection whose secrets are opened, or the reason why they could not be. */
export interface ConnectionView {
  readonly connectionId: string;
  readonly environmentId: string;
  readonly workspaceId: string;
  readonly name: string;
  readonly provider: string;
  readonly enabled: boolean;
  /** Allowed upstream models; empty means every model. Entries may hold `*` and `?`. */
  readonly allowedModels: readonly string[];
  readonly version: number;
  /** The provider's configuration; secret fields are `Secret` values. Undefined when a secret could not be opened. */
  readonly config: Readonly<Record<string, unknown>> | undefined;
  /** Why `config` is undefined, without any secret. */
  readonly credentialError?: string;
  readonly capacity: readonly unknown[];
}

/** One model slot as stored: names are resolved, defaults filled in. */
export interface SlotView {
  readonly connectionId: string;
  readonly provider: string;
  readonly model: string;
  readonly maxRetries: number;
  /** Milliseconds for the whole leg, or null for no limit of its own. */
  readonly timeoutMs: number | null;
  /** Milliseconds from a call to its first content; absent for no limit. */
  readonly firstTokenTimeoutMs?: number | null | undefined;
  /** Milliseconds without a byte from the provider; absent for the gateway's own. */
  readonly idleTimeoutMs?: number | null | undefined;
}

/** An AI resource as the data plane needs it. */
export interface ResourceView {
  readonly resourceId: string;
  readonly environmentId: string;
  readonly name: string;
  readonly description: string | null;
  readonly enabled: boolean;
  readonly model: SlotView;
  readonly secondaryModels: readonly SlotView[];
  readonly fallbackModels: readonly SlotView[];
  readonly useFallback: boolean | null;
  /** Rules in stored form. */
  readonly routing: Routing | null;
  readonly defaultArgs: Readonly<Record<string, unknown>> | null;
  readonly onLoss: "allow" | "warn" | "reject" | null;
  readonly capacity: readonly unknown[];
  readonly enforceCapacity: boolean;
  /** Ids of the API keys assigned to this resource; empty means every key of the environment. */
  readonly assignedApiKeys: ReadonlySet<string>;
  readonly createdAt: Date;
  readonly version: number;
}

/** An API key without its value. */
export interface ApiKeyView {
  readonly apiKeyId: string;
  readonly environmentId: string;
  readonly workspaceId: string;
  readonly name: string;
  readonly enabled: boolean;
  readonly expiresAt: Date | null;
  readonly restrictToAssigned: boolean;
  readonly allowOverrides: boolean;
  readonly allowAdHoc: boolean;
  readonly labels: readonly string[];
  readonly enforceCapacity: boolean;
  readonly capacity: readonly unknown[];
  /** Set on the entry of a rolled key's old value: the moment until which it is still accepted. */
  readonly validUntil?: Date;
}

/** A person, as far as authorization needs to know. */
export interface UserView {
  readonly userId: string;
  readonly username: string;
  readonly email: string;
  readonly name: string;
  readonly state: "ACTIVE" | "INACTIVE" | "CHANGE_PASSWORD";
  readonly roleIds: readonly string[];
}

/** A personal access token without its value. */
export interface TokenView {
  readonly tokenId: string;
  readonly userId: string;
  readonly expiresAt: Date | null;
  /** The token's own policy; null means everything its user may do. */
  readonly policy: PolicyView | null;
}

/** What a plugin is set to; secret settings are still sealed. */
export interface PluginSettingView {
  readonly pluginId: string;
  readonly enabled: boolean;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly version: number;
}

/** A role and its policy. */
export interface RoleView {
  readonly roleId: string;
  readonly name: string;
  readonly builtIn: boolean;
  readonly policy: PolicyView;
}

/** A policy: statements in any order. */
export interface PolicyView {
  readonly statements: readonly {
    readonly effect: "allow" | "deny";
    readonly actions: readonly string[];
    readonly resources: readonly string[];
  }[];
}

/** Opens one sealed configuration field; throws when it cannot be opened. */
export type OpenSecret = (sealed: string, context: SecretContext) => Promise<Secret>;

/** What a sealed value is bound to: it opens nowhere else. */
export interface SecretContext {
  readonly environmentId: string;
  readonly connectionId: string;
  /** Dotted path of the configuration field, such as `apiKey` or `headers.api-key`. */
  readonly field: string;
}
