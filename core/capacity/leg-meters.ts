import type { Meter } from "../contract/capacity-store.ts";
import type { ApiKeyView, ConnectionView, ResourceView } from "../store/snapshot.ts";
import { type Limits, limitsOf, noLimits } from "./limits.ts";

/** Whose limits a leg must respect. */
export interface LegSubject {
  readonly connection: ConnectionView | undefined;
  /** Undefined for calls without a stored resource. */
  readonly resource: ResourceView | undefined;
  /** Undefined for calls of people. */
  readonly apiKey: ApiKeyView | undefined;
  readonly sourceIp: string;
  readonly metadata: Readonly<Record<string, string>>;
}

/** The value of a metadata dimension that the request does not carry. */
export const unknownValue = "unknown";

const none: readonly Meter[] = [];

/** Every meter of a leg: of its resource, its API key and its connection, in this order. */
export function legMeters(subject: LegSubject): readonly Meter[] {
  const { connection, resource, apiKey } = subject;
  const ofResource = resource ? limitsOf(resource, "resource", resource.resourceId) : noLimits;
  const ofKey = apiKey ? limitsOf(apiKey, "api-key", apiKey.apiKeyId) : noLimits;
  const ofConnection = connection
    ? limitsOf(connection, "connection", connection.connectionId)
    : noLimits;
  if (ofResource === noLimits && ofKey === noLimits && ofConnection === noLimits) return none;
  return [
    ...meters(ofResource, subject),
    ...meters(ofKey, subject),
    ...meters(ofConnection, subject),
  ];
}

function meters({ plain, split }: Limits, subject: LegSubject): readonly Meter[] {
  if (split.length === 0) return plain;
  return [
    ...plain,
    ...split.map(({ meter, dimension, field }) => ({
      ...meter,
      dimension: {
        name: dimension,
        value: field === undefined ? subject.sourceIp : valueOf(subject.metadata, field),
      },
    })),
  ];
}

function valueOf(metadata: Readonly<Record<string, string>>, field: string): string {
  return Object.hasOwn(metadata, field) && metadata[field] !== "" ? metadata[field]! : unknownValue;
}
