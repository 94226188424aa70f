import type { _Record } from "@aws-sdk/client-timestream-write";
import type { Measurement } from "@vmx/core/contract";
import { dimensions, fractionalMeasures, noNumber, noText, wholeMeasures } from "./fields.ts";

/** What the service takes of a text, in bytes. */
const maxTextBytes = 2_048;

/** Writes a measurement as one multi-measure record. The leg is a dimension: legs of a request share their time. */
export function writeRecord({ at, leg, dimensions: given, measures }: Measurement): _Record {
  const metadata = Object.entries(given)
    .filter(([name, value]) => name.startsWith("metadata.") && value !== undefined)
    .map(([name, value]) => [name.slice("metadata.".length), value] as const);
  const number = (name: string) => measures[name] ?? noNumber;
  return {
    Time: String(at),
    TimeUnit: "MILLISECONDS",
    MeasureName: "usage",
    MeasureValueType: "MULTI",
    Dimensions: [
      ...dimensions.map((name) => ({ Name: name, Value: cut(given[name] || noText) })),
      { Name: "leg", Value: String(leg) },
    ],
    MeasureValues: [
      ...wholeMeasures.map((name) => ({
        Name: name,
        Value: String(Math.round(number(name))),
        Type: "BIGINT" as const,
      })),
      { Name: "statusCode", Value: given["statusCode"] ?? String(noNumber), Type: "BIGINT" },
      ...fractionalMeasures.map((name) => ({
        Name: name,
        Value: String(number(name)),
        Type: "DOUBLE" as const,
      })),
      {
        Name: "metadata",
        Value: cut(JSON.stringify(Object.fromEntries(metadata))),
        Type: "VARCHAR",
      },
    ],
  };
}

function cut(text: string): string {
  const bytes = Buffer.from(text.toWellFormed());
  if (bytes.length <= maxTextBytes) return bytes.toString();
  // A character that was cut in two leaves a mark, which is one to three bytes.
  return bytes.subarray(0, maxTextBytes - 3).toString();
}
