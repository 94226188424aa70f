import {
  type AnswerContext,
  type Call,
  GatewayError,
  type JsonObject,
  type Part,
} from "@vmx/core/contract";
import type { EncodeContext } from "./encode-context.ts";
import { modelPath } from "./model-path.ts";
import {
  camel,
  camelOf,
  compact,
  dialectId,
  listOf,
  native,
  numberOf,
  objectOf,
  objectsOf,
  ownNative,
  textOf,
} from "./read-json.ts";
import { readUsage, writeUsage } from "./tokens.ts";

/** Reads `batchEmbedContents` (or one `embedContent`). Contents that are not plain text stay with the call. */
export function decodeInput(body: JsonObject): Call {
  const outer = camel(body);
  const requests = (outer["requests"] === undefined ? [outer] : objectsOf(outer["requests"]))
    .map(camel);
  const input = requests.map((request, at) => {
    const parts = objectsOf(camelOf(request["content"])?.["parts"]);
    if (parts.length === 0) {
      const param = `requests[${at}].content`;
      throw new GatewayError("invalid_request", `Cannot read the request: ${param} is missing`, {
        param,
      });
    }
    return parts.map((part) => textOf(part["text"]) ?? "").join("");
  });
  const dimensions = numberOf(requests[0]?.["outputDimensionality"]);
  const model = textOf(requests[0]?.["model"]) ?? textOf(outer["model"]) ?? "";
  return {
    operation: "embeddings",
    dialect: dialectId,
    model: model.replace(/^models\//, ""),
    stream: false,
    system: [],
    turns: [],
    tools: [],
    sampling: {},
    embeddings: { input, ...(dimensions === undefined ? {} : { dimensions }) },
    extras: {},
    native: native({ requests }),
  };
}

/**
 * Writes `batchEmbedContents`, for one text as for many, as the vendor's SDK does.
 *
 * Throws `unsupported_content` for token arrays.
 */
export function encodeInput(call: Call, model: string, context: EncodeContext): JsonObject {
  const { input, dimensions } = call.embeddings ?? { input: [] };
  const originals = objectsOf(
    ownNative(call as { native?: NonNullable<Call["native"]> })?.["requests"],
  );
  if (call.user !== undefined) context.warn("parameter_dropped", "/user", "dropped");
  const requests = input.map((text, at) => {
    if (typeof text !== "string") {
      throw new GatewayError(
        "unsupported_content",
        `Cannot write the request in the dialect "${dialectId}": it takes texts, not tokens (/input/${at})`,
        { param: "input" },
      );
    }
    return compact({
      outputDimensionality: dimensions,
      content: { role: "user", parts: [{ text }] },
      ...originals[at],
      model: modelPath(model),
    });
  });
  return { requests };
}

/** Reads the vectors of an embeddings answer. Throws `upstream_invalid_response` when there are none. */
export function decodeVectors(body: JsonObject): Part[] {
  const parts: Part[] = [{ type: "start" }];
  checkVectors(body).forEach((item, index) => {
    const vector = listOf(item["values"]);
    if (!vector.every((each) => typeof each === "number")) {
      throw new GatewayError(
        "upstream_invalid_response",
        `Cannot read the provider's answer: embeddings[${index}].values are not numbers`,
      );
    }
    parts.push({ type: "embedding", index, vector: vector as readonly number[] });
  });
  parts.push(...readUsage(objectOf(body["usageMetadata"])));
  return parts;
}

/** The vectors of an answer. Throws `upstream_invalid_response` when there are none. */
export function checkVectors(body: JsonObject): readonly JsonObject[] {
  const items = objectsOf(body["embeddings"] ?? body["embedding"]);
  if (items.length > 0) return items;
  throw new GatewayError(
    "upstream_invalid_response",
    'Cannot read the provider\'s answer: "embeddings" is missing or empty',
  );
}

/** Writes an embeddings answer. */
export function encodeVectors(parts: readonly Part[], _context: AnswerContext): JsonObject {
  const usage = parts.find((part) => part.type === "usage");
  return {
    embeddings: parts.flatMap((part) => part.type === "embedding" ? [{ values: part.vector }] : []),
    ...(usage ? { usageMetadata: writeUsage(usage) } : {}),
  };
}
