import {
  type AnswerContext,
  type Call,
  type EmbeddingPart,
  GatewayError,
  type Json,
  type JsonObject,
  type Part,
} from "@vmx/core/contract";
import { isObject } from "@vmx/core/kit";
import { dropped, type EncodeContext, refuse } from "./encode-context.ts";
import {
  compact,
  dialectId,
  native,
  numberOf,
  objectOf,
  objectsOf,
  ownNative,
  textOf,
  textsOf,
} from "./read-json.ts";

/** Families of embedding models, each with a body of its own. */
type Family = "titan" | "cohere" | "nova";

/** Reads an embeddings request of any family; what has no canonical place is kept with the call. */
export function decodeInput(body: JsonObject): Call {
  const nova = objectOf(body["singleEmbeddingParams"]);
  const one = textOf(body["inputText"]) ?? textOf(objectOf(nova?.["text"])?.["value"]);
  const input = one === undefined ? textsOf(body["texts"]) : [one];
  if (input.length === 0) {
    throw new GatewayError(
      "invalid_request",
      "Cannot read the request: it holds none of inputText, texts and singleEmbeddingParams.text",
      { param: "inputText" },
    );
  }
  const dimensions = numberOf(body["dimensions"]) ?? numberOf(body["output_dimension"]) ??
    numberOf(nova?.["embeddingDimension"]);
  return {
    operation: "embeddings",
    dialect: dialectId,
    model: textOf(body["modelId"]) ?? "",
    stream: false,
    system: [],
    turns: [],
    tools: [],
    sampling: {},
    embeddings: { input, ...(dimensions === undefined ? {} : { dimensions }) },
    extras: {},
    native: native(body),
  };
}

/**
 * Writes an embeddings request as the model's family spells it.
 *
 * Throws `unsupported_content` for token arrays, for several inputs where the model takes one, and for other models.
 */
export function encodeInput(call: Call, model: string, context: EncodeContext): JsonObject {
  const { dimensions } = call.embeddings ?? {};
  const texts = (call.embeddings?.input ?? []).map((item, at) =>
    typeof item === "string" ? item : refuse("text that was cut into tokens", `/input/${at}`)
  );
  const own = ownNative(call);
  if (!own && call.user !== undefined) context.warnings.push(dropped("/user"));
  const family = familyOf(model, own);
  if (family === "cohere") {
    return compact({
      input_type: context.profile.embeddingInputType,
      ...own,
      texts: [...texts],
      output_dimension: dimensions,
    });
  }
  const [text, ...others] = texts;
  if (text === undefined || others.length > 0) {
    return refuse(`${texts.length} inputs at once, because the model takes one`, "/input");
  }
  if (family === "titan") {
    const first = model.includes("titan-embed-text-v1") || model.includes("titan-embed-g1");
    if (first && dimensions !== undefined) context.warnings.push(dropped("/dimensions"));
    return compact({ ...own, inputText: text, dimensions: first ? undefined : dimensions });
  }
  const params = objectOf(own?.["singleEmbeddingParams"]);
  return {
    taskType: "SINGLE_EMBEDDING",
    ...own,
    singleEmbeddingParams: compact({
      embeddingPurpose: "GENERIC_INDEX",
      ...params,
      embeddingDimension: dimensions,
      text: { truncationMode: "END", ...objectOf(params?.["text"]), value: text },
    }),
  };
}

function familyOf(model: string, own: JsonObject | undefined): Family {
  const name = model.toLowerCase();
  if (own?.["texts"] !== undefined || name.includes("cohere.embed")) return "cohere";
  if (own?.["inputText"] !== undefined || name.includes("titan-embed")) return "titan";
  if (own !== undefined || name.includes("embeddings")) return "nova";
  return refuse(`embeddings of the model "${model}"`, "/model");
}

/** Reads the vectors of any family's answer. Counts come with Titan's alone; the others name them in a header. */
export function decodeVectors(body: JsonObject): Part[] {
  const vectors = vectorsOf(body);
  if (!vectors) {
    throw new GatewayError(
      "upstream_invalid_response",
      "Cannot read the provider's answer: it holds no vectors",
    );
  }
  const count = numberOf(body["inputTextTokenCount"]);
  return [
    { type: "start", native: native(body) },
    ...vectors.map((vector, index): Part => ({ type: "embedding", index, vector })),
    ...(count === undefined ? [] : [usagePart(count)]),
  ];
}

/** Writes an embeddings answer, in the form it came in where it did. */
export function encodeVectors(parts: readonly Part[], context: AnswerContext): JsonObject {
  const start = parts.find((part) => part.type === "start");
  const own = start && ownNative(start);
  if (own) return own;
  const vectors = parts
    .filter((part): part is EmbeddingPart => part.type === "embedding")
    .map(({ vector }) => [...vector]);
  const usage = parts.find((part) => part.type === "usage");
  const count = usage?.type === "usage" ? usage.tokens.inputUncached : null;
  if (context.model.includes("cohere") || vectors.length !== 1) {
    return { embeddings: vectors, response_type: "embeddings_floats" };
  }
  return compact({ embedding: vectors[0]!, inputTextTokenCount: count ?? undefined });
}

/** Vectors as numbers; undefined when there are none. Floats are preferred where several kinds were asked for. */
function vectorsOf(body: JsonObject): readonly (readonly number[])[] | undefined {
  const single = numbersOf(body["embedding"]) ?? numbersOf(firstKind(body["embeddingsByType"]));
  if (single) return [single];
  const { embeddings } = body;
  const list = isObject(embeddings) ? firstKind(embeddings) : embeddings;
  if (!Array.isArray(list) || list.length === 0) return undefined;
  const plain = (list as readonly Json[]).map(numbersOf);
  const vectors = plain.every((each) => each !== undefined)
    ? plain
    : objectsOf(list).map((each) => numbersOf(each["embedding"]));
  return vectors.length > 0 && vectors.every((each) => each !== undefined) ? vectors : undefined;
}

function firstKind(byType: Json | undefined): Json | undefined {
  const kinds = objectOf(byType);
  return kinds && (kinds["float"] ?? Object.values(kinds)[0]);
}

function numbersOf(value: Json | undefined): readonly number[] | undefined {
  if (!Array.isArray(value) || value.length === 0) return undefined;
  const items = value as readonly Json[];
  return items.every((each) => typeof each === "number") ? items as readonly number[] : undefined;
}

function usagePart(count: number): Part {
  return {
    type: "usage",
    tokens: {
      inputUncached: count,
      inputCacheRead: null,
      inputCacheWrite5m: null,
      inputCacheWrite1h: null,
      output: null,
      reasoning: null,
      audioInput: null,
      audioOutput: null,
      promptTotal: count,
      completionTotal: null,
    },
  };
}
