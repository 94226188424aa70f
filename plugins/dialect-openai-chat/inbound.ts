import type { Inbound, JsonObject } from "@vmx/core/contract";
import { writeModel, writeModelList } from "@vmx/core/kit";
import { encodeError, errorFrame } from "./errors.ts";
import { inspect } from "./inspect.ts";
import { withoutMarks } from "./marks.ts";
import { objectOf } from "./read-json.ts";
import { createTap } from "./tap.ts";
import { validate } from "./validate.ts";

/** What callers of the dialect need. */
export const inbound: Inbound = {
  format: "chat-completions",
  validate,
  inspect,
  usageRequest(body, operation) {
    if (operation !== "chat" || body["stream"] !== true) return { callerAsked: true };
    const callerAsked = objectOf(body["stream_options"])?.["include_usage"] === true;
    return callerAsked
      ? { callerAsked }
      : { callerAsked, merge: { stream_options: { include_usage: true } } };
  },
  tap: createTap,
  encodeError,
  errorFrame,
  keepAlive: ": keep-alive\n\n",
  metricsFrame(metrics, context) {
    const chunk: JsonObject = {
      id: context.requestId,
      object: "chat.completion.chunk",
      created: context.now,
      model: context.model,
      choices: [],
      vmx: metrics,
    };
    return `data: ${JSON.stringify(chunk)}\n\n`;
  },
  encodeModels: writeModelList,
  encodeModel: writeModel,
  withoutMarks,
};
