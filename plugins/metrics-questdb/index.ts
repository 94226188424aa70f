import { definePlugin } from "@vmx/core/contract";
import { createSink } from "./sink.ts";
import { createServer } from "./server.ts";

export default definePlugin({
  activate(context) {
    const { url, table } = context.config as {
      readonly url?: { reveal(): string };
      readonly table: string;
    };
    if (!url) throw new Error("Cannot write usage to QuestDB: QUESTDB_URL is not set");
    // The operator names the service: the guard is for addresses tenants can write down.
    const server = createServer(url.reveal(), globalThis.fetch);
    const sink = createSink(server, table);
    context.onDispose(() => sink.close());
    context.provide("metricSinks", "questdb", sink);
  },
});
