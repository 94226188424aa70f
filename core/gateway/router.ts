import type { Clock, JsonObject } from "../contract/index.ts";
import type { PluginHost } from "../host/plugin-host.ts";
import {
  type CapacityUsageQuery,
  createBudget,
  createRoutingCache,
  createRoutingFacts,
  errorRateOf,
  evaluateRouting,
  type EvaluateRoutingOptions,
  type LiveSamples,
  type LiveSubject,
  type LiveValues,
  type RoutingDecision,
  type RoutingEvaluators,
  skippedTrace,
} from "../routing/index.ts";
import type { EnvironmentView, ResourceView } from "../store/snapshot.ts";
import type { Envelope } from "./envelope.ts";
import type { Caller } from "./identify.ts";
import type { MergedRequest } from "./merged-request.ts";
import type { Target } from "./resolve.ts";
import { routingEvaluators } from "./routing-evaluators.ts";

/** What rules are asked about: one request, live or pretended. */
export interface RoutingQuestion {
  readonly caller: Caller;
  readonly target: Target;
  readonly envelope: Envelope;
  /** The body as received. */
  readonly body: JsonObject;
  /** The same with all arguments merged. */
  readonly merged: () => MergedRequest;
  /** The word rules know the caller's dialect by. */
  readonly format: string;
  readonly sourceIp: string;
  /** Unix milliseconds. */
  readonly now: number;
  /** Revision of the snapshot that serves the request. */
  readonly revision: number;
}

/** What a dry run lays down instead of chance and life, and how much of the trace is wanted. */
export interface RoutingAssumptions extends Pick<EvaluateRoutingOptions, "draws" | "evaluateAll"> {
  readonly live?: Partial<LiveValues>;
  /** Tells everything, whatever the environment keeps of traces: nothing of it is stored. */
  readonly tracesAll?: boolean;
}

/** Decides which model serves a request. */
export interface Router {
  /**
   * Evaluates the rules of the target's resource. Undefined when it has none.
   *
   * Live requests and dry runs both come here, so that a dry run tells what would happen.
   */
  decide(
    question: RoutingQuestion,
    assumptions?: RoutingAssumptions,
  ): Promise<RoutingDecision | undefined>;
}

/** What the router stands on. */
export interface RouterParts {
  readonly host: PluginHost;
  readonly clock: Clock;
  readonly samples: LiveSamples;
  /** How much of the limits is used; absent where nothing counts. */
  readonly capacityUsage?: CapacityUsage;
  /** Draws from [0, 1). */
  readonly random?: () => number;
}

/** Answers `capacityUsage()` of rules from what the process knows by now; never waits. */
export type CapacityUsage = (
  query: Pick<CapacityUsageQuery, "period"> & {
    readonly caller: Caller;
    readonly resource: ResourceView;
    readonly connectionId: string;
    readonly model: string;
  },
) => JsonObject | null;

/** Creates the router of a process. */
export function createRouter(parts: RouterParts): Router {
  const { clock, host, random = Math.random } = parts;
  let known: RoutingEvaluators = { UI: undefined, ADVANCED: undefined };
  let knownAt: number | undefined;
  let compile = createRoutingCache(() => known);

  /** Plugins are switched with a new revision, so evaluators are looked for once in each. */
  async function findEvaluators(revision: number): Promise<void> {
    const found = await routingEvaluators(host);
    knownAt = revision;
    if (found.UI === known.UI && found.ADVANCED === known.ADVANCED) return;
    known = found;
    compile = createRoutingCache(() => found);
  }

  return {
    async decide(question, assumptions = {}) {
      const { caller, envelope, revision, target } = question;
      if (target.kind === "ad-hoc" || !target.resource.routing) return undefined;
      const { resource } = target;
      const { routing } = target.resource;
      if (!routing.enabled) return skipped("routing is disabled", revision);
      if (envelope.secondaryModelIndex !== undefined) {
        return skipped("the request names a secondary model", revision);
      }
      if (knownAt !== revision) await findEvaluators(revision);
      const { settings } = caller.environment;
      const merged = question.merged();
      const facts = createRoutingFacts({
        inspection: merged.facts,
        mergedBody: merged.body,
        nativeBody: question.body,
        metadata: envelope.metadata,
        apiKey: caller.kind === "api-key" ? caller.apiKey : undefined,
        sourceIp: question.sourceIp,
        resource,
        format: question.format,
        now: question.now,
        live: { ...liveValues(parts, caller, resource), ...assumptions.live },
        budget: createBudget({ monotonic: () => clock.monotonic() }),
      });
      return evaluateRouting(compile(routing), facts, {
        random,
        monotonic: () => clock.monotonic(),
        revision,
        hidesMessageText: !assumptions.tracesAll && settings["payloadCapture"] !== "full",
        tracesConditions: assumptions.tracesAll || settings["routingTrace"] !== "result",
        evaluateAll: assumptions.evaluateAll,
        ...(assumptions.draws ? { draws: assumptions.draws } : {}),
      });
    },
  };
}

function skipped(reason: string, revision: number): RoutingDecision {
  return { selected: null, errors: 0, trace: skippedTrace(reason, revision) };
}

/** Live values as the rules of one resource see them: what a rule leaves out is the resource's primary. */
function liveValues(
  { samples, capacityUsage }: RouterParts,
  caller: Caller,
  resource: ResourceView,
): LiveValues {
  const { environment } = caller;
  const subjectOf = ({ connection, model }: LiveSubject) => ({
    environmentId: environment.environmentId,
    resourceId: resource.resourceId,
    connectionId: connection === undefined
      ? resource.model.connectionId
      : connectionId(environment, connection),
    model: model ?? resource.model.model,
  });
  return {
    errorRate: ({ windowMinutes, statusCode, ...subject }) =>
      errorRateOf(samples.counts(subjectOf(subject), windowMinutes, statusCode)),
    latency: ({ percentile, windowMinutes, ...subject }) =>
      samples.latency(subjectOf(subject), percentile, windowMinutes),
    capacityUsage({ period, ...subject }) {
      const { connectionId, model } = subjectOf(subject);
      return capacityUsage?.({ period, caller, resource, connectionId, model }) ?? null;
    },
  };
}

/** Rules name connections by id or by name. */
function connectionId(environment: EnvironmentView, reference: string): string {
  return environment.connectionsByName.get(reference.toLowerCase())?.connectionId ?? reference;
}
