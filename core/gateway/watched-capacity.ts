import type { WatchedSubject } from "../capacity/index.ts";
import type { EnvironmentView, ResourceView, Snapshot } from "../store/snapshot.ts";

const liveFunction = "capacityUsage";
const rules = new WeakMap<ResourceView, string | undefined>();

/**
 * What rules ask the use of: resources whose rules mention it, with their primary and every connection those rules
 * name. A name that stands in a rule for another reason is read for nothing, which does no harm.
 */
export function* watchedCapacity(snapshot: Snapshot): Generator<WatchedSubject> {
  for (const environment of snapshot.environments.values()) {
    for (const resource of environment.resources.values()) {
      const text = rulesOf(resource);
      if (text === undefined) continue;
      const { resourceId } = resource;
      yield { environment, resourceId, connectionId: resource.model.connectionId };
      for (const connectionId of named(environment, text)) yield { environment, connectionId };
    }
  }
}

/** The rules of a resource as one text, when they ask for use at all. */
function rulesOf(resource: ResourceView): string | undefined {
  if (!resource.routing || !resource.enabled) return undefined;
  if (!rules.has(resource)) {
    const text = JSON.stringify(resource.routing);
    rules.set(resource, text.includes(liveFunction) ? text.toLowerCase() : undefined);
  }
  return rules.get(resource);
}

function* named({ connections }: EnvironmentView, text: string): Generator<string> {
  for (const { connectionId, name } of connections.values()) {
    if (text.includes(connectionId) || text.includes(name.toLowerCase())) yield connectionId;
  }
}
