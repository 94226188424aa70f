/** One event of a stream: its fields, or a comment. */
export interface StreamEvent {
  readonly data: string;
  readonly comment: string;
}

/** Reads server-sent events as they come. */
export async function* readEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<StreamEvent> {
  const reader = body.pipeThrough(
    new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>,
  )
    .getReader();
  let held = "";
  try {
    while (true) {
      const { done, value } = await reader.read();
      held += value ?? "";
      const parts = held.split(/\r?\n\r?\n/);
      held = done ? "" : parts.pop()!;
      for (const part of parts) if (part.trim()) yield eventOf(part);
      if (done) return;
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}

function eventOf(text: string): StreamEvent {
  const lines = text.split(/\r?\n/);
  const of = (prefix: string) =>
    lines.filter((line) => line.startsWith(prefix))
      .map((line) => line.slice(prefix.length).replace(/^ /, "")).join("\n");
  return { data: of("data:"), comment: of(":") };
}
