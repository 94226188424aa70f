import { type Resource, resourceFromAttributes } from "@opentelemetry/resources";

/**
 * What names this process in an operator's tools. Pairs that are not key=value are left out, as OpenTelemetry asks.
 *
 * @param attributes OTEL_RESOURCE_ATTRIBUTES: key=value pairs, separated by commas, values percent-encoded
 */
export function createResource(serviceName: string, attributes = ""): Resource {
  const named: Record<string, string> = {
    "service.instance.id": crypto.randomUUID(),
    "telemetry.sdk.language": "nodejs",
    "telemetry.sdk.name": "opentelemetry",
  };
  for (const pair of attributes.split(",")) {
    const [key = "", value, ...rest] = pair.split("=").map((part) => part.trim());
    if (key === "" || value === undefined || rest.length > 0) continue;
    named[key] = decode(value);
  }
  named["service.name"] = serviceName;
  return resourceFromAttributes(named);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
