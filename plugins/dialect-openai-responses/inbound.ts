import type { Inbound } from "@vmx/core/contract";
import { encodeError, errorFrame } from "./errors.ts";
import { inspect } from "./inspect.ts";
import { withoutMarks } from "./marks.ts";
import { providerState } from "./state.ts";
import { createTap } from "./tap.ts";
import { validate } from "./validate.ts";

/** What callers of the dialect need. */
export const inbound: Inbound = {
  format: "responses",
  validate,
  inspect,
  // The last event of a stream reports usage, asked or not.
  usageRequest: () => ({ callerAsked: true }),
  providerState,
  withoutMarks,
  tap: createTap,
  encodeError,
  errorFrame,
  keepAlive: ": keep-alive\n\n",
  metricsFrame: (metrics) => `: vmx ${JSON.stringify(metrics)}\n\n`,
};
