import type { Context } from "koa";
import { Readable } from "node:stream";
import type { ManagementAnswer } from "../management/index.ts";

/** Writes a management answer, problems included, to a Koa response. */
export function writeAnswer(context: Context, { status, headers, body }: ManagementAnswer): void {
  context.status = status;
  context.set({ ...headers });
  if (body === undefined) {
    // Koa sends the status text for a missing body unless it is told that there is none.
    context.body = null;
    context.status = status;
    return;
  }
  context.body = typeof body === "string" || body instanceof Readable ? body : JSON.stringify(body);
}
