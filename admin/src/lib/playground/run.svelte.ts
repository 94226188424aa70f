import type { AuditRow } from "@vmx/sdk";
import { permissions } from "#lib/api/permissions.svelte.ts";
import { session } from "#lib/api/session.svelte.ts";
import type { Scope } from "#lib/api/scope.ts";
import { vmx } from "#lib/api/vmx.ts";
import { type Attempt, bodyOf, dialectPaths } from "./body.ts";
import { readEvents } from "./read-stream.ts";

type Value = Readonly<Record<string, unknown>>;

/** A request of the playground and what comes back, as it comes. */
export class Run {
  state: "running" | "done" | "failed" | "stopped" = $state("running");
  text = $state("");
  reasoning = $state("");
  /** Tool calls and whatever else is no text. */
  parts: readonly unknown[] = $state.raw([]);
  status: number | undefined = $state(undefined);
  headers: readonly (readonly [string, string])[] = $state.raw([]);
  error: string | undefined = $state(undefined);
  /** The gateway's own measurements. */
  metrics: Value | undefined = $state.raw(undefined);
  usage: Value | undefined = $state.raw(undefined);
  warnings: readonly string[] = $state.raw([]);
  firstTextMs: number | undefined = $state(undefined);
  totalMs: number | undefined = $state(undefined);
  /** The row of the audit, once it is written and when the viewer may read it. */
  row: AuditRow | undefined = $state.raw(undefined);
  readonly body: Record<string, unknown>;
  readonly #abort = new AbortController();
  readonly #startedAt = performance.now();

  constructor(readonly scope: Scope, readonly attempt: Attempt) {
    this.body = bodyOf(attempt);
    void this.#run();
  }

  /** Id of the request, as soon as the gateway has named it. */
  get requestId(): string | undefined {
    return this.headers.find(([name]) => name === "x-vmx-request-id")?.[1];
  }

  /** Ends the request; the gateway then ends its call of the provider. */
  stop(): void {
    this.#abort.abort();
  }

  async #run(): Promise<void> {
    try {
      const response = await this.#send();
      this.status = response.status;
      this.headers = [...response.headers].filter(([name]) =>
        name.startsWith("x-vmx") || name.startsWith("x-ratelimit") || name === "retry-after"
      );
      const isStream = response.headers.get("content-type")?.includes("event-stream");
      if (isStream && response.body) {
        for await (const { data, comment } of readEvents(response.body)) {
          if (comment.startsWith("vmx ")) this.#learn({ vmx: JSON.parse(comment.slice(4)) });
          if (data && data !== "[DONE]") this.#learn(JSON.parse(data) as Value);
        }
      } else this.#whole(await response.json() as Value);
      if (this.state === "running") this.state = response.ok && !this.error ? "done" : "failed";
    } catch (error) {
      if (this.#abort.signal.aborted) this.state = "stopped";
      else {
        this.state = "failed";
        this.error = error instanceof Error ? error.message : String(error);
      }
    } finally {
      this.totalMs = performance.now() - this.#startedAt;
    }
    await this.#readRow();
  }

  /** Rows are written in batches a moment after their answers: a few tries, then the link has to do. */
  async #readRow(): Promise<void> {
    const { requestId, scope } = this;
    if (requestId === undefined || !permissions.may("audit:list", scope.resource("audit"))) return;
    for (const waitMs of [300, 700, 1_500, 3_000]) {
      await new Promise((resolve) => setTimeout(resolve, waitMs));
      try {
        [this.row] = (await scope.api.audit.list({ requestId })).data;
      } catch {
        return;
      }
      if (this.row) return;
    }
  }

  async #send(again = true): Promise<Response> {
    const answer = await session.load();
    const response = await fetch(this.scope.completionPath + dialectPaths[this.attempt.dialect], {
      method: "POST",
      headers: { "content-type": "application/json", "x-vmx-csrf": answer?.csrfToken ?? "" },
      body: JSON.stringify(this.body),
      signal: this.#abort.signal,
    });
    if (response.status !== 403 || !again) return response;
    const text = await response.clone().text();
    if (!text.includes("CSRF_TOKEN_INVALID")) return response;
    // Somebody signed in again in another tab.
    session.answer = await vmx.auth.session();
    return await this.#send(false);
  }

  #say(text: unknown): void {
    if (typeof text !== "string" || text === "") return;
    this.firstTextMs ??= performance.now() - this.#startedAt;
    this.text += text;
  }

  #gateway(found: unknown): void {
    const known = found as { metrics?: Value; warnings?: unknown[] } | undefined;
    if (known?.metrics) this.metrics = known.metrics;
    if (Array.isArray(known?.warnings)) this.warnings = known.warnings.map(warningText);
  }

  #fail(error: unknown): void {
    const { message, code } = (typeof error === "object" && error !== null ? error : {}) as Value;
    this.error = [code, message ?? JSON.stringify(error)].filter(Boolean).join(": ");
  }

  /** A frame of a stream, in whichever dialect. */
  #learn(frame: Value): void {
    if (frame["vmx"]) this.#gateway(frame["vmx"]);
    if (frame["error"]) this.#fail(frame["error"]);
    if (frame["usage"]) this.usage = frame["usage"] as Value;
    const choice = (frame["choices"] as Value[] | undefined)?.[0];
    const delta = (choice?.["delta"] ?? frame["delta"]) as Value | string | undefined;
    if (typeof delta === "string") {
      const type = String(frame["type"]);
      if (type.includes("reasoning")) this.reasoning += delta;
      else if (type.includes("output_text")) this.#say(delta);
    } else if (delta) {
      this.#say(delta["content"] ?? delta["text"]);
      const thought = delta["reasoning_content"] ?? delta["reasoning"] ?? delta["thinking"];
      if (typeof thought === "string") this.reasoning += thought;
      if (delta["tool_calls"]) this.parts = [...this.parts, delta["tool_calls"]];
    }
    const message = frame["message"] as Value | undefined;
    if (message?.["usage"]) this.usage = message["usage"] as Value;
    const response = frame["response"] as Value | undefined;
    if (response?.["usage"]) this.usage = response["usage"] as Value;
    if (response?.["error"]) this.#fail(response["error"]);
    const block = frame["content_block"] as Value | undefined;
    if (block?.["type"] === "tool_use") this.parts = [...this.parts, block];
    const item = frame["item"] as Value | undefined;
    if (frame["type"] === "response.output_item.done" && item?.["type"] === "function_call") {
      this.parts = [...this.parts, item];
    }
  }

  /** An answer that came in one piece. */
  #whole(answer: Value): void {
    this.#gateway(answer["vmx"]);
    if (answer["error"]) return this.#fail(answer["error"]);
    if (answer["code"] && answer["detail"]) {
      return this.#fail({ code: answer["code"], message: answer["detail"] });
    }
    this.usage = answer["usage"] as Value | undefined;
    const message = (answer["choices"] as Value[] | undefined)?.[0]?.["message"] as
      | Value
      | undefined;
    if (message) {
      this.#say(message["content"]);
      if (message["tool_calls"]) this.parts = message["tool_calls"] as unknown[];
    }
    const blocks = (answer["content"] ?? answer["output"]) as Value[] | undefined;
    for (const block of Array.isArray(blocks) ? blocks : []) {
      if (block["type"] === "text") this.#say(block["text"]);
      else if (block["type"] === "message") {
        for (const part of block["content"] as Value[]) this.#say(part["text"]);
      } else this.parts = [...this.parts, block];
    }
  }
}

function warningText(warning: unknown): string {
  if (typeof warning === "string") return warning;
  const { code, path, message } = warning as Value;
  return String(message ?? [code, path].filter(Boolean).join(" at "));
}
