import type {
  AnswerContext,
  Call,
  Dialect,
  JsonObject,
  Provider,
  ProviderConnection,
  Warning,
} from "../contract/index.ts";
import { GatewayError } from "../contract/index.ts";
import { mayHoldSignatures, mergeObjects, settingPath, withoutSignatures } from "../kit/index.ts";
import { lossRule } from "./answer-headers.ts";
import { defaultArguments, type LegCodec } from "./codec.ts";
import { distinctWarnings } from "./distinct-warnings.ts";
import type { Exchange } from "./exchange.ts";
import { inlineMedia } from "./fetch-media.ts";
import { refuseState } from "./provider-state.ts";
import { createTranslatingTap } from "./translating-tap.ts";

/**
 * The codec of a leg that speaks another dialect than the caller: decode -> Call -> encode, and Parts back the same
 * way. What has no counterpart becomes a warning, or a refusal where the resource asks for that.
 *
 * Throws `translation_loss` naming every path, `state_not_portable`,
 * `bad_image_url`, `egress_refused`, and what the dialects throw for content they cannot express.
 */
export async function createTranslation(
  exchange: Exchange,
  outbound: Dialect,
  provider: Provider,
  connection: ProviderConnection,
  model: string,
  family: string,
): Promise<LegCodec> {
  const { dialect: caller, request: { endpoint: { operation } } } = exchange;
  refuseState(exchange);
  const body = exchange.body!;
  const { vmx: _, ...own } = body.value;
  const usage = caller.inbound.usageRequest(body.value, operation);
  const decoded = caller.decodeRequest(mergeObjects(defaultArguments(exchange), own), operation);
  const call: Call = await inlineMedia(
    { ...decoded.value, model, stream: body.stream },
    outbound,
    exchange.services.fetchMedia,
    exchange.signal,
  );
  const profile = provider.profile?.(model, outbound.id, connection);
  const encoded = outbound.encodeRequest(call, { model, family, ...(profile ? { profile } : {}) });
  const warnings = distinctWarnings([
    ...decoded.warnings,
    ...lossOfChoice(call),
    ...encoded.warnings,
  ]);
  refuseLoss(exchange, warnings);
  // Dialects that have a use for the marks of tool-call ids have taken them out; no other service may see them.
  const bare = mayHoldSignatures(body.text) ? withoutSignatures(encoded.value) : encoded.value;
  const value = mergeObjects(bare, exchange.envelope.providerArgs);
  const reading = {
    ...(profile ? { profile } : {}),
    ...(encoded.toolNames ? { toolNames: encoded.toolNames } : {}),
  };
  const context: AnswerContext = {
    operation,
    requestId: exchange.requestId,
    stream: body.stream,
    now: Math.floor(exchange.arrivedAt / 1000),
    model,
    includeUsage: usage.callerAsked,
    call,
    family,
  };
  return {
    dialect: outbound,
    text: JSON.stringify(value),
    bodyObject: () => value,
    query: "",
    headers: {},
    warnings,
    tap: () =>
      createTranslatingTap({
        framer: provider.framer?.(),
        decoder: outbound.streamDecoder(reading),
        encoder: caller.streamEncoder(context),
        errorFrame: (error, sequence) =>
          caller.inbound.errorFrame({
            status: error.status ?? 502,
            kind: "internal",
            code: error.code ?? "upstream_error",
            message: exchange.services.redact(error.message),
            requestId: exchange.requestId,
          }, sequence),
      }),
    plain(answer: JsonObject) {
      const facts = outbound.readAnswer(answer, operation);
      const parts = outbound.decodeResponse(answer, operation, reading);
      const written = caller.encodeResponse(parts.value, context);
      return {
        text: JSON.stringify(written.value),
        facts,
        warnings: distinctWarnings([...parts.warnings, ...written.warnings]),
      };
    },
  };
}

/** Dialects leave a choice out that there are no tools for; one that demands a call says more than nothing. */
function lossOfChoice(call: Call): Warning[] {
  const { toolChoice, tools } = call;
  if (toolChoice?.type !== "required" || tools.length > 0) return [];
  const detail = "A call is demanded, but no tool is offered";
  const path = settingPath(call, "toolChoice");
  return [{ code: "parameter_dropped", path, action: "dropped", detail }];
}

function refuseLoss(exchange: Exchange, warnings: readonly Warning[]): void {
  if (warnings.length === 0 || lossRule(exchange) !== "reject") return;
  const paths = warnings.map(({ code, path }) => `${path || "/"} (${code})`);
  throw new GatewayError(
    "translation_loss",
    `The request cannot be translated without loss: ${paths.join(", ")}`,
    { details: { warnings: warnings as unknown as JsonObject[] } },
  );
}
