import {
  type AnswerContext,
  type Call,
  type EmbeddingPart,
  GatewayError,
  type Json,
  type JsonObject,
  type Part,
} from "@vmx/core/contract";
import { dialectId, listOf, native, numberOf, objectOf, textOf } from "./read-json.ts";
import { checkAnswer } from "./read-answer.ts";
import { readTokens, writeTokens } from "./tokens.ts";

const known = new Set(["model", "input", "dimensions", "encoding_format", "user"]);

/** Reads an embeddings request. One text or one token array counts as a list of one. */
export function decodeInput(body: JsonObject): Call {
  const { input } = body;
  const items = listOf(input);
  const inputs = typeof input === "string"
    ? [input]
    : items.every((item) => typeof item === "number")
    ? [items]
    : items.map((item, at) => checkItem(item, at));
  const dimensions = numberOf(body["dimensions"]);
  const format = body["encoding_format"];
  const user = textOf(body["user"]);
  return {
    operation: "embeddings",
    dialect: dialectId,
    model: textOf(body["model"]) ?? "",
    stream: false,
    system: [],
    turns: [],
    tools: [],
    sampling: {},
    embeddings: {
      input: inputs,
      ...(dimensions === undefined ? {} : { dimensions }),
      ...(format === "float" || format === "base64" ? { encodingFormat: format } : {}),
    },
    ...(user === undefined ? {} : { user }),
    extras: Object.fromEntries(
      Object.entries(body).filter((entry): entry is [string, Json] =>
        !known.has(entry[0]) && entry[1] !== undefined && entry[1] !== null
      ),
    ),
  };
}

function checkItem(item: Json, at: number): string | readonly number[] {
  if (typeof item === "string") return item;
  if (Array.isArray(item) && item.every((token) => typeof token === "number")) return item;
  const param = `input[${at}]`;
  throw new GatewayError(
    "invalid_request",
    `Cannot read the request: ${param} must be a text or an array of token numbers`,
    { param },
  );
}

/** Writes an embeddings request; a single input is written bare, which every service takes. */
export function encodeInput(call: Call): JsonObject {
  const { input, dimensions, encodingFormat } = call.embeddings ?? { input: [] };
  const [only] = input;
  const wanted: Json = input.length === 1 && only !== undefined
    ? (typeof only === "string" ? only : [...only])
    : input.map((item) => (typeof item === "string" ? item : [...item]));
  return {
    input: wanted,
    dimensions,
    encoding_format: encodingFormat,
    user: call.user,
  };
}

/** Reads an embeddings answer; vectors in base64 are little-endian 32-bit floats. */
export function decodeVectors(body: JsonObject): Part[] {
  const items = checkAnswer(body, "embeddings");
  const usage = objectOf(body["usage"]);
  const model = textOf(body["model"]);
  const { object: _object, data: _data, model: _model, usage: _usage, ...extras } = body;
  const parts: Part[] = [{
    type: "start",
    ...(model === undefined ? {} : { model }),
    ...(Object.keys(extras).length === 0 ? {} : { extras }),
  }];
  items.forEach((item, at) => {
    parts.push({
      type: "embedding",
      index: numberOf(item["index"]) ?? at,
      vector: readVector(item["embedding"], at),
    });
  });
  if (usage) parts.push({ type: "usage", tokens: readTokens(usage), native: native(usage) });
  return parts;
}

function readVector(value: Json | undefined, at: number): readonly number[] {
  if (typeof value === "string") {
    const bytes = Buffer.from(value, "base64");
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    return Array.from(
      { length: Math.floor(bytes.length / 4) },
      (_, place) => view.getFloat32(place * 4, true),
    );
  }
  if (Array.isArray(value) && value.every((each) => typeof each === "number")) return value;
  throw new GatewayError(
    "upstream_invalid_response",
    `Cannot read the provider's answer: data[${at}].embedding is neither numbers nor base64`,
  );
}

/** Writes an embeddings answer, in base64 when the caller asked for it. */
export function encodeVectors(parts: readonly Part[], context: AnswerContext): JsonObject {
  const start = parts.find((part) => part.type === "start");
  const usage = parts.find((part) => part.type === "usage");
  const base64 = context.call?.embeddings?.encodingFormat === "base64";
  const data = parts
    .filter((part): part is EmbeddingPart => part.type === "embedding")
    .map(({ index, vector }): JsonObject => ({
      object: "embedding",
      index,
      embedding: base64 ? writeBase64(vector) : vector,
    }));
  return {
    ...start?.extras,
    object: "list",
    data,
    model: start?.model ?? context.model,
    ...(usage ? { usage: writeUsage(usage) } : {}),
  };
}

function writeUsage(usage: Extract<Part, { type: "usage" }>): JsonObject {
  const own = usage.native?.dialect === dialectId ? objectOf(usage.native.value) : undefined;
  return own ?? writeTokens(usage.tokens, "embeddings");
}

function writeBase64(vector: readonly number[]): string {
  const bytes = Buffer.alloc(vector.length * 4);
  vector.forEach((number, at) => bytes.writeFloatLE(number, at * 4));
  return bytes.toString("base64");
}
