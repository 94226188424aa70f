import type { Call, ProviderConnection } from "../contract/index.ts";
import { GatewayError } from "../contract/index.ts";
import type { PluginHost } from "../host/plugin-host.ts";
import { readText } from "../kit/index.ts";
import { fromErrorAnswer } from "./leg-failure.ts";
import type { Redact } from "./redact.ts";

const maxAnswerBytes = 64 * 1024;

/** What one call of a model told. */
export interface ModelTrial {
  readonly status: number;
  /** The provider's words when it refused. */
  readonly message?: string;
  /** Limits its headers told of. */
  readonly discovered?: Record<string, unknown>;
}

/** Makes a call of one output token, to see whether a connection can use a model. */
export function createTryModel(host: PluginHost, redact: Redact) {
  return async (
    { provider: id, connection, model }: {
      readonly provider: string;
      readonly connection: ProviderConnection;
      readonly model: string;
    },
    signal: AbortSignal,
  ): Promise<ModelTrial> => {
    const provider = await host.get("providers", id);
    const spoken = provider.dialects({ model, operation: "chat", callerDialect: "" }, connection)
      .find((name) => host.find("dialects", name));
    if (spoken === undefined) {
      throw new GatewayError(
        "operation_not_supported",
        `Provider "${id}" speaks none of the installed dialects`,
      );
    }
    const dialect = await host.get("dialects", spoken);
    const profile = provider.profile?.(model, spoken, connection);
    const { value } = dialect.encodeRequest(smallestCall(model), {
      model,
      family: provider.family ?? id,
      ...(profile ? { profile } : {}),
    });
    const response = await provider.send(
      {
        requestId: crypto.randomUUID(),
        operation: "chat",
        dialect: spoken,
        model,
        stream: false,
        path: dialect.requestPath({ operation: "chat", model, stream: false }),
        query: "",
        body: JSON.stringify(value),
        bodyObject: () => value,
        headers: {},
      },
      connection,
      signal,
    );
    const text = redact(await readText(response.body, maxAnswerBytes), connection.config);
    const limits = provider.limits?.(response.headers);
    const discovered = limits ? { discovered: { [model]: limits } } : {};
    if (response.status < 300) return { status: response.status, ...discovered };
    const wire = dialect.decodeError(response.status, text);
    const { message } = fromErrorAnswer(response, text, wire, spoken, provider, "The provider");
    return {
      status: response.status,
      message: wire.recognised ? wire.message : message,
      ...discovered,
    };
  };
}

function smallestCall(model: string): Call {
  return {
    operation: "chat",
    model,
    stream: false,
    system: [],
    turns: [{ role: "user", parts: [{ type: "text", text: "Hi" }] }],
    tools: [],
    sampling: {},
    maxOutputTokens: 1,
    extras: {},
  };
}
