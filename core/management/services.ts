import type { Access } from "./access.ts";
import type { Federation, FederationSettings } from "./federation/federation.ts";
import type { ReEncryption } from "./keys/re-encryption.ts";
import type { Clock, Log, SharedState } from "../contract/index.ts";
import type { GuardedStore, LiveMeters } from "../capacity/index.ts";
import type { EncryptionBackends } from "../host/encryption-backends.ts";
import type { RequiredPlugins } from "../host/follow-switches.ts";
import type { GatewayView } from "../gateway/gateway-view.ts";
import type { PluginHost } from "../host/plugin-host.ts";
import type { EgressGuard } from "../kit/egress.ts";
import type { ProviderConnection } from "../contract/provider.ts";
import type { Pricing } from "../records/cost/pricing.ts";
import type { Records } from "../records/create-records.ts";
import type { Allocation } from "../prioritization/index.ts";
import type { Database } from "../store/database.ts";
import type { SnapshotLoader } from "../store/loader.ts";
import type { Snapshot } from "../store/snapshot.ts";
import type { SystemStatus } from "../system-status.ts";
import type { SessionLimits } from "../access/sessions.ts";

/** Settings the management plane reads. */
export interface ManagementConfig {
  /** Version of the gateway. */
  readonly version: string;
  /** `VMX_PUBLIC_URL` as the operator set it; undefined when they did not. */
  readonly publicUrl: string | undefined;
  /** `VMX_ADMIN_TOKEN`. */
  readonly adminToken: string | undefined;
  /** `VMX_LOCAL_LOGIN`: false lets only the bootstrap administrator sign in with a password. */
  readonly localLogin: boolean;
  /** Who may sign in through an identity provider, and as what; absent where nobody may. */
  readonly federated?: FederationConfig | undefined;
  readonly session: SessionLimits;
}

/** Federated login as the operator set it up. */
export interface FederationConfig extends FederationSettings {
  /** Id of the contribution of `identityProviders` in use. */
  readonly provider: string;
}

/** What the management plane stands on. */
export interface ManagementServices {
  readonly database: Database;
  readonly loader: SnapshotSource;
  readonly host: PluginHost;
  /** The chosen encryption backend. */
  readonly encryption: () => Promise<EncryptionBackends>;
  /** Plugins nobody may switch off. */
  readonly requiredPlugins: RequiredPlugins;
  readonly egress: Pick<EgressGuard, "checkUrl">;
  readonly config: ManagementConfig;
  readonly clock: Clock;
  readonly log: Log;
  /** State that processes share, for the limits of logins; absent where there is one process. */
  readonly sharedState?: (() => Promise<SharedState>) | undefined;
  /** Told of a personal access token's use. */
  readonly onTokenUsed?: ((tokenId: string) => void) | undefined;
  /** What the data plane of this process knows and would do. */
  readonly gateway: GatewayView;
  /** What limits are used, and the way to forget it. */
  readonly capacity: CapacityControl;
  /** Records of requests, as they happen. */
  readonly records: Pick<Records, "live" | "state">;
  /** Prices of models, and what requests cost by them. */
  readonly pricing: Pricing;
  /** Id of the sink usage is queried from; undefined when it is none of those written to. */
  readonly usageQuerySink: string | undefined;
  /** How this process and what it depends on are doing. */
  readonly status: Pick<SystemStatus, "read">;
  /** How pools share connections. */
  readonly allocation: Pick<Allocation, "view">;
  /** Makes a call of one output token, for connection tests that name a model. */
  readonly tryModel?: TryModel;
}

/** What the management plane needs of capacity. */
export interface CapacityControl {
  readonly live: LiveMeters;
  readonly admission: { readonly store: Pick<GuardedStore, "ask"> };
  /** Writes down the counters of an environment. Never rejects. */
  copy(environmentId: string): Promise<void>;
}

/** The snapshot this process serves, and the way to have a newer one. */
export interface SnapshotSource extends Pick<SnapshotLoader, "rows" | "state"> {
  current(): Snapshot;
  /** Loads what is newer; when it has resolved, `current()` shows every change committed before the call. */
  refresh(): Promise<unknown>;
}

/** See `ManagementServices.tryModel`. */
export type TryModel = (
  request: {
    readonly provider: string;
    readonly connection: ProviderConnection;
    readonly model: string;
  },
  signal: AbortSignal,
) => Promise<{
  readonly status: number;
  readonly message?: string;
  readonly discovered?: Record<string, unknown>;
}>;

/** The services with access control in place: what handlers are given. */
export interface HandlerServices extends ManagementServices {
  readonly access: Access;
  readonly federation: Federation;
  readonly reEncryption: ReEncryption;
}
