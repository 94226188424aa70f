import type {
  Call,
  Dialect,
  DialectProfile,
  JsonObject,
  Operation,
  Part,
  Provider,
  ProviderConnection,
} from "../contract/index.ts";
import type { Outcome } from "../gateway/exchange.ts";
import {
  type ScriptedUpstream,
  startScriptedUpstream,
  startTestGateway,
} from "../gateway/testing.ts";
import { assembleParts } from "../kit/index.ts";
import type { CallerDialect } from "./callers.ts";
import type { Recording } from "./recordings.ts";
import { createReplay, framesOf, type Replay, sendReplay } from "./replay.ts";
import type { Service } from "./services.ts";

/** A gateway with one upstream that replays. */
export interface Stage {
  /** Makes the upstream answer with a recording, and a resource of its model's name lead there. */
  prepare(service: Service, recording: Recording, callerId: string): Promise<Setting>;
  /** Sends a request to the gateway over HTTP. */
  ask(request: Question, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  /** What the upstream got last. */
  received(): ScriptedUpstream["requests"][number];
  /** What the gateway knows of the requests it has finished, in order. */
  readonly outcomes: readonly Outcome[];
  close(): Promise<void>;
}

/** Everything one case needs. */
export interface Setting {
  readonly recording: Recording;
  readonly replay: Replay;
  readonly provider: Provider;
  readonly connection: ProviderConnection;
  /** The family the provider's reasoning signatures belong to. */
  readonly family: string;
  readonly profile: DialectProfile | undefined;
  /** The dialect of the recording. */
  readonly recorded: Dialect;
  /** The dialect of the caller. */
  readonly caller: CallerDialect;
}

/** A request; a text body is sent as it is. */
export interface Question {
  readonly path: string;
  readonly body: JsonObject | string;
}

/** What the caller got. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly bytes: Buffer;
}

/** Starts gateway and upstream on free ports. */
export async function openStage(): Promise<Stage> {
  const [gateway, upstream] = await Promise.all([startTestGateway(), startScriptedUpstream()]);
  const { host, snapshot } = gateway;
  return {
    async prepare(service, recording, callerId) {
      const { model, bodyKind } = recording;
      const recordedId = service.dialect(recording);
      const chosen = service.connection(callerId, recordedId, upstream.baseUrl);
      const [provider, recorded, caller, framing] = await Promise.all([
        host.get("providers", chosen.provider),
        host.get("dialects", recordedId),
        host.get("dialects", callerId),
        host.get("providers", bodyKind === "eventstream" ? "aws-bedrock" : chosen.provider),
      ]);
      const { config } = chosen;
      const stored = snapshot.setConnection("corpus", chosen.provider, { config });
      const { connectionId } = stored;
      snapshot.setResource(model, { connectionId, provider: chosen.provider, model });
      const connection: ProviderConnection = { ...stored, config };
      const replay = createReplay(recording, framing, framing !== provider);
      upstream.requests.length = 0;
      upstream.answer = (_request, response) => sendReplay(replay, response);
      return {
        recording,
        replay,
        provider,
        connection,
        family: provider.family ?? chosen.provider,
        profile: provider.profile?.(model, recordedId, connection),
        recorded,
        // Only dialects callers speak are asked for.
        caller: caller as CallerDialect,
      };
    },
    async ask({ path, body }, headers = {}) {
      const response = await fetch(`${gateway.baseURL}${path}`, {
        method: "POST",
        headers: {
          authorization: `Bearer ${gateway.apiKey}`,
          "content-type": "application/json",
          ...headers,
        },
        body: typeof body === "string" ? body : JSON.stringify(body),
      });
      const bytes = Buffer.from(await response.arrayBuffer());
      return { status: response.status, headers: response.headers, text: bytes.toString(), bytes };
    },
    received: () => upstream.requests.at(-1)!,
    outcomes: gateway.outcomes,
    async close() {
      await Promise.all([gateway.stop(), upstream.stop()]);
    },
  };
}

/** The recorded answer by its own dialect, spelled as its provider spells it. */
export function decodeRecording(
  { recording, recorded, replay, profile }: Setting,
): readonly Part[] {
  const options = profile ? { profile } : {};
  if (!recording.stream) {
    const body = JSON.parse(recording.body.toString()) as JsonObject;
    return recorded.decodeResponse(body, "chat", options).value;
  }
  const decoder = recorded.streamDecoder(options);
  const parts = framesOf(replay).flatMap((frame) => [...decoder.push(frame)]);
  return assembleParts([...parts, ...decoder.end()]);
}

/** The recorded request by its own dialect; undefined when there is none the dialect can read. */
export function recordedCall(
  { recording, recorded }: Setting,
  operation: Operation = "chat",
): Call | undefined {
  if (recording.request === undefined) return undefined;
  const body = JSON.parse(recording.request) as JsonObject;
  try {
    return recorded.decodeRequest({ model: recording.model, ...body }, operation).value;
  } catch {
    return undefined;
  }
}
