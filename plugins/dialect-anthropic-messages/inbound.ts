import type { Inbound } from "@vmx/core/contract";
import { writeFrame, writeModel, writeModelList } from "@vmx/core/kit";
import { encodeError, errorFrame } from "./errors.ts";
import { inspect } from "./inspect.ts";
import { createTap } from "./tap.ts";
import { validate } from "./validate.ts";
import { withoutMarks } from "./without-marks.ts";

/** What callers of the dialect need. */
export const inbound: Inbound = {
  format: "anthropic",
  requestIdHeader: "request-id",
  forwardHeaders: ["anthropic-version", "anthropic-beta"],
  validate,
  inspect,
  // Usage is always reported.
  usageRequest: () => ({ callerAsked: true }),
  withoutMarks,
  tap: createTap,
  encodeError,
  errorFrame,
  keepAlive: writeFrame({ event: "ping", data: '{"type": "ping"}' }),
  metricsFrame: (metrics) => `: vmx ${JSON.stringify(metrics)}\n\n`,
  encodeModels: writeModelList,
  encodeModel: writeModel,
};
