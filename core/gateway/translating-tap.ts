import type {
  AnswerFacts,
  ErrorPart,
  FinishPart,
  Framer,
  StartPart,
  StreamDecoder,
  StreamEncoder,
  StreamPart,
  Tap,
  TapResult,
  Tokens,
} from "../contract/index.ts";
import { createSseReader, estimateTokens, writeFrame } from "../kit/index.ts";
import { distinctWarnings } from "./distinct-warnings.ts";

const none = new Uint8Array(0);

/** What a translating tap is made of. */
export interface TranslatingTapParts {
  /** Cuts the upstream's frames; server-sent events when absent. */
  readonly framer: Framer | undefined;
  readonly decoder: StreamDecoder;
  readonly encoder: StreamEncoder;
  /** The bytes of the caller's error frame for an error inside the stream, with the number it bears. */
  readonly errorFrame: (error: ErrorPart, sequence?: number) => string;
}

/** Reads a stream of one dialect and writes it in another, frame by frame; looks like any tap to the relay. */
export function createTranslatingTap(parts: TranslatingTapParts): Tap {
  const framer = parts.framer ?? createSseReader();
  const { decoder, encoder } = parts;
  let start: StartPart | undefined;
  let tokens: Tokens | undefined;
  let serviceTier: string | undefined;
  let finish: FinishPart | undefined;
  let deliveredText = 0;
  let content = false;
  let started = false;
  let complete = false;

  const note = (part: StreamPart): void => {
    started ||= part.type !== "error";
    if (part.type === "start") start = part;
    else if (part.type === "usage") {
      tokens = part.tokens;
      serviceTier = part.serviceTier;
    } else if (part.type === "finish") {
      finish ??= part;
      content = true;
    } else if (part.type === "block-delta") {
      content = true;
      if (part.text) deliveredText += estimateTokens(part.text);
    } else if (part.type === "block-start") {
      const { block } = part;
      const text = "text" in block ? block.text : "arguments" in block ? block.arguments : "";
      if (text !== "" || block.type === "tool-call" || block.type === "native") content = true;
      deliveredText += estimateTokens(text);
    }
  };

  const translate = (stream: Iterable<StreamPart>): TapResult => {
    let text = "";
    let error: ErrorPart | undefined;
    for (const part of stream) {
      note(part);
      if (part.type === "error") {
        error = part;
        text += parts.errorFrame(part, encoder.sequence?.());
        break;
      }
      for (const frame of encoder.push(part)) text += writeFrame(frame);
    }
    return {
      forward: text === "" ? none : Buffer.from(text),
      content,
      started,
      ...(error
        ? {
          error: {
            message: error.message,
            recognised: true,
            ...(error.code === undefined ? {} : { code: error.code }),
            ...(error.status === undefined ? {} : { status: error.status }),
          },
        }
        : {}),
    };
  };

  const decode = function* (frames: readonly { readonly event?: string; readonly data: string }[]) {
    for (const frame of frames) yield* decoder.push(frame);
  };

  return {
    push: (chunk) => translate(decode(framer.push(chunk))),
    end() {
      const rest = framer.end();
      const result = translate(function* () {
        yield* decode(rest);
        yield* decoder.end();
      }());
      if (result.error) return result;
      complete = true;
      const endMarker = encoder.end().map(writeFrame).join("");
      return endMarker === "" ? result : { ...result, endMarker: Buffer.from(endMarker) };
    },
    warnings: () => distinctWarnings([...decoder.warnings ?? [], ...encoder.warnings ?? []]),
    facts(): AnswerFacts & { readonly complete: boolean } {
      const tier = serviceTier ?? start?.serviceTier;
      const sequence = encoder.sequence?.();
      return {
        complete,
        estimatedOutputTokens: deliveredText,
        ...(start?.id === undefined ? {} : { id: start.id }),
        ...(start?.model === undefined ? {} : { model: start.model }),
        ...(tier === undefined ? {} : { serviceTier: tier }),
        ...(sequence === undefined ? {} : { sequence }),
        ...(start?.systemFingerprint === undefined
          ? {}
          : { systemFingerprint: start.systemFingerprint }),
        ...(tokens ? { tokens } : {}),
        ...(finish ? { finish: finish.reason } : {}),
        ...(finish?.raw === undefined ? {} : { finishRaw: finish.raw }),
      };
    },
  };
}
