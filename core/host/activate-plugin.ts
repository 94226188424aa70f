import type {
  Clock,
  ContributionPoint,
  HttpClient,
  Log,
  LogFields,
  Plugin,
  PluginContext,
} from "../contract/index.ts";
import type { Configuration } from "./configuration-schema.ts";
import type { RegisteredPlugin } from "./manifest.ts";
import { missingMembers, points } from "./points.ts";

/** What every plugin is given. */
export interface Surroundings {
  readonly log: Log;
  /** `fetch` through the egress guard. */
  readonly fetch: typeof fetch;
  readonly http: HttpClient;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly dataDir: string;
}

/** A running activation: what the plugin has provided so far and how to take it down. */
export interface Activation {
  /** Resolves when the plugin has provided everything it announced. */
  readonly done: Promise<void>;
  implementation(point: ContributionPoint, id: string): unknown;
  /** Refuses whatever the plugin still provides. */
  close(): void;
  /** Runs the plugin's disposers in reverse order, each for at most `limitMs`. Failures are logged. */
  dispose(limitMs: number): Promise<void>;
}

/** For what a plugin registers after it was disposed of: an activation that outlived its deadline. */
const lateDisposeMs = 5_000;

/** Calls a plugin's `activate` with a context of its own. */
export function activatePlugin(
  plugin: RegisteredPlugin,
  definition: Plugin,
  config: Configuration,
  surroundings: Surroundings,
): Activation {
  const log = namedLog(surroundings.log, plugin.id);
  const implementations = new Map<string, unknown>();
  const disposers: (() => void | Promise<void>)[] = [];
  let open = true;
  let gone = false;

  async function takeDown(dispose: () => void | Promise<void>, limitMs: number): Promise<void> {
    try {
      await withinTime(Promise.resolve().then(dispose), limitMs);
    } catch (error) {
      log.warn("Cannot dispose of the plugin cleanly", { error });
    }
  }

  const context: PluginContext = {
    ...surroundings,
    config,
    log,
    onDispose(dispose) {
      if (gone) void takeDown(dispose, lateDisposeMs);
      else disposers.push(dispose);
    },
    provide(point, id, implementation) {
      const what = `${points[point]?.label ?? point} "${id}"`;
      const announced = plugin.contributions.find((entry) =>
        entry.point === point && entry.id === id
      );
      if (!open) throw new Error(`Cannot provide ${what}: the activation has ended`);
      if (!announced) throw new Error(`Cannot provide ${what}: the manifest does not announce it`);
      if (implementations.has(`${point}/${id}`)) {
        throw new Error(`Cannot provide ${what}: it is provided already`);
      }
      const missing = missingMembers(point, implementation);
      if (announced.entry.inbound && !("inbound" in implementation)) missing.push("inbound");
      if (missing.length > 0) {
        throw new Error(`Cannot provide ${what}: it lacks ${missing.join(", ")}`);
      }
      if (point === "dialects" && "id" in implementation && implementation.id !== id) {
        throw new Error(`Cannot provide ${what}: it calls itself "${implementation.id}"`);
      }
      implementations.set(`${point}/${id}`, implementation);
    },
  };

  async function run(): Promise<void> {
    await definition.activate(context);
    const left = plugin.contributions
      .filter(({ point, id }) => !implementations.has(`${point}/${id}`))
      .map(({ point, id }) => `${points[point].label} "${id}"`);
    if (left.length > 0) throw new Error(`it did not provide ${left.join(", ")}`);
  }

  return {
    done: run(),
    implementation: (point, id) => implementations.get(`${point}/${id}`),
    close() {
      open = false;
    },
    async dispose(limitMs) {
      gone = true;
      for (const dispose of disposers.splice(0).reverse()) await takeDown(dispose, limitMs);
    },
  };
}

/** The promise's outcome, or a rejection once `limitMs` have passed. */
export async function withinTime<Value>(promise: Promise<Value>, limitMs: number): Promise<Value> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`it did not finish within ${limitMs} ms`)), limitMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
    promise.catch(() => {}); // A failure after the deadline has nobody left to hear it.
  }
}

function namedLog(log: Log, plugin: string): Log {
  const fields = (more?: LogFields): LogFields => ({ ...more, plugin });
  return {
    debug: (message, more) => log.debug(message, fields(more)),
    info: (message, more) => log.info(message, fields(more)),
    warn: (message, more) => log.warn(message, fields(more)),
    error: (message, more) => log.error(message, fields(more)),
  };
}
