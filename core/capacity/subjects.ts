import type { LimitedLevel } from "@vmx/schemas";
import type { ApiKeyView, EnvironmentView, Snapshot } from "../store/snapshot.ts";
import type { Limited } from "./limits.ts";

/** An object that can have limits. */
export interface LimitedSubject {
  readonly environmentId: string;
  readonly level: LimitedLevel;
  readonly subjectId: string;
  readonly subjectName: string;
  readonly view: Limited;
}

/** Everything in an environment that can have limits. */
export function subjectsOf(snapshot: Snapshot, environment: EnvironmentView): LimitedSubject[] {
  const keys = [...apiKeySubjects(snapshot)];
  return [
    ...ownSubjects(environment),
    ...keys.filter(({ environmentId }) => environmentId === environment.environmentId),
  ];
}

/** Everything that can have limits. */
export function* allSubjects(snapshot: Snapshot): Generator<LimitedSubject> {
  for (const environment of snapshot.environments.values()) yield* ownSubjects(environment);
  yield* apiKeySubjects(snapshot);
}

function* ownSubjects(environment: EnvironmentView): Generator<LimitedSubject> {
  const { environmentId } = environment;
  for (const view of environment.connections.values()) {
    const { connectionId: subjectId, name: subjectName } = view;
    yield { environmentId, level: "connection", subjectId, subjectName, view };
  }
  for (const view of environment.resources.values()) {
    const { resourceId: subjectId, name: subjectName } = view;
    yield { environmentId, level: "resource", subjectId, subjectName, view };
  }
}

function* apiKeySubjects({ apiKeysByHash }: Snapshot): Generator<LimitedSubject> {
  for (const view of apiKeysByHash.values()) {
    // A rolled key's old value is no subject of its own.
    if (!view.validUntil) yield toSubject(view);
  }
}

function toSubject(view: ApiKeyView): LimitedSubject {
  const { environmentId, apiKeyId: subjectId, name: subjectName } = view;
  return { environmentId, level: "api-key", subjectId, subjectName, view };
}
