import type { ApiCall } from "./call.ts";
import { type Client, createApiClient } from "./client.ts";
import { ActivityLog } from "./entities/activity.ts";
import { EnvironmentScope } from "./entities/environment-scope.ts";
import { Environments } from "./entities/environments.ts";
import { Auth, Me } from "./entities/identity.ts";
import { AiProviders, Plugins, SystemState } from "./entities/installation.ts";
import { PriceLists } from "./entities/price-lists.ts";
import { Roles } from "./entities/roles.ts";
import { Users } from "./entities/users.ts";
import { Workspaces } from "./entities/workspaces.ts";
import type { List } from "./list.ts";
import type { AnswerOf, CallOptions, InputOf, ItemOf, ListId, OperationId } from "./operations.ts";
import { type Fetch, sleep } from "./send.ts";

/** How a client is set up; everything has a default. */
export interface VmxOptions {
  /** Address of the gateway. Default: `VMX_BASE_URL`, in a browser the page's own origin. */
  readonly baseUrl?: string;
  /** Personal access token. Default: `VMX_TOKEN`. */
  readonly token?: string;
  /** Uses a console session (`auth.login`) instead of a token: cookie and CSRF header are taken care of. */
  readonly session?: boolean;
  /** Workspace of `aiConnections` and the like, by name or id. Default: `VMX_WORKSPACE`, else `default`. */
  readonly workspace?: string;
  /** Environment of `aiConnections` and the like. Default: `VMX_ENVIRONMENT`, else `default`. */
  readonly environment?: string;
  /** Replaces the global `fetch`. */
  readonly fetch?: Fetch;
  /** Headers every call carries. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Attempts after the first, when repeating may help and does no harm. Default: 2. */
  readonly maxRetries?: number;
  /** Longest wait for an answer, per attempt. Default: 60 000. */
  readonly timeoutMs?: number;
  /** Longest `Retry-After` that is waited for. Default: 30 000. */
  readonly maxWaitMs?: number;
  /** Replaces waiting between attempts. */
  readonly sleep?: (ms: number, signal: AbortSignal | undefined) => Promise<void>;
  /** Replaces `Math.random`. */
  readonly random?: () => number;
}

/**
 * The management API of a gateway.
 *
 * @example
 * const vmx = new Vmx(); // VMX_BASE_URL, VMX_TOKEN
 * const connection = await vmx.aiConnections.create({ name: "echo-2", provider: "echo" });
 * await vmx.aiResources.upsert("chat", { model: { connectionName: "echo-2", model: "echo" } });
 * for await (const key of vmx.apiKeys.list()) console.log(key.name);
 */
export class Vmx extends EnvironmentScope {
  readonly auth: Auth;
  readonly me: Me;
  readonly workspaces: Workspaces;
  readonly environments: Environments;
  readonly users: Users;
  readonly roles: Roles;
  readonly aiProviders: AiProviders;
  readonly plugins: Plugins;
  readonly priceLists: PriceLists;
  readonly system: SystemState;
  /** What changed in all the caller's workspaces. */
  readonly installationActivity: ActivityLog;
  readonly #client: Client;

  constructor(options: VmxOptions = {}) {
    const client = createApiClient({
      baseUrl: baseUrlOf(options.baseUrl ?? variable("VMX_BASE_URL") ?? ownOrigin()),
      token: options.session ? undefined : options.token || variable("VMX_TOKEN"),
      session: options.session ?? false,
      headers: options.headers ?? {},
      maxRetries: options.maxRetries ?? 2,
      timeoutMs: options.timeoutMs ?? 60_000,
      maxWaitMs: options.maxWaitMs ?? 30_000,
      fetch: options.fetch ?? ((url, init) => fetch(url, init)),
      sleep: options.sleep ?? sleep,
      random: options.random ?? Math.random,
      now: () => Date.now(),
    });
    super(client, {
      workspaceId: options.workspace ?? variable("VMX_WORKSPACE") ?? "default",
      environmentId: options.environment ?? variable("VMX_ENVIRONMENT") ?? "default",
    });
    this.#client = client;
    this.auth = new Auth(client);
    this.me = new Me(client);
    this.workspaces = new Workspaces(client);
    this.environments = new Environments(client);
    this.users = new Users(client);
    this.roles = new Roles(client);
    this.aiProviders = new AiProviders(client);
    this.plugins = new Plugins(client);
    this.priceLists = new PriceLists(client);
    this.system = new SystemState(client);
    this.installationActivity = new ActivityLog(client);
  }

  /** Everything in another environment; both go by name or id. */
  environment(workspace: string, environment: string): EnvironmentScope {
    return new EnvironmentScope(this.#client, {
      workspaceId: workspace,
      environmentId: environment,
    });
  }

  /**
   * Calls any operation of the OpenAPI document by its id. Names in the path become ids.
   *
   * @example
   * await vmx.call("getWorkspace", { path: { workspaceId: "default" } });
   */
  call<Id extends OperationId>(
    operation: Id,
    input: InputOf<Id>,
    options?: CallOptions,
  ): ApiCall<AnswerOf<Id>> {
    return this.#client.call(operation, input, options);
  }

  /** Calls any list operation by its id. */
  list<Id extends ListId>(
    operation: Id,
    input: InputOf<Id>,
    options?: CallOptions,
  ): List<ItemOf<Id>> {
    return this.#client.list(operation, input, options);
  }
}

/** The part before the API's own path, so that the base URL of the data plane does as well. */
function baseUrlOf(text: string): string {
  if (!/^https?:\/\//i.test(text) || !URL.canParse(text)) {
    throw new TypeError(`Cannot use base URL "${text}": it must be an http or https address`);
  }
  return text.replace(/\/+$/, "").replace(/(\/api)?\/v1$/, "");
}

function ownOrigin(): string {
  return typeof document === "undefined" ? "http://127.0.0.1:3000" : location.origin;
}

/** An environment variable; undefined where there are none, as in browsers. */
function variable(name: string): string | undefined {
  const { process } = globalThis as {
    readonly process?: { readonly env?: Readonly<Record<string, string | undefined>> };
  };
  return process?.env?.[name] || undefined;
}
