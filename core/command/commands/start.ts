import type { Command } from "../command.ts";
import { start as startGateway } from "../start.ts";

/** `vmx start`: the gateway. */
export const start: Command = {
  name: "start",
  summary: "starts the gateway and keeps it running; this is also what vmx does without a command",
  details: [
    "Settings are environment variables (docs/configuration.md); the options below stand in for those " +
    "that are wanted most. The first signal drains, a second one ends at once.",
  ],
  flags: {
    host: { type: "string", value: "ADDRESS", description: "address to listen on (HOST)" },
    port: { type: "string", value: "NUMBER", description: "port to listen on, 0 for any (PORT)" },
    "data-dir": { type: "string", value: "FOLDER", description: "folder for all data (DATA_DIR)" },
    json: { type: "boolean", description: "prints what the start says as one line of JSON" },
  },
  examples: ["vmx start", "vmx start --port 8080 --data-dir /var/lib/gateway"],
  async run({ text, flag, environment }) {
    const given = {
      HOST: text("host"),
      PORT: text("port"),
      DATA_DIR: text("data-dir"),
      ...(flag("json") ? { LOG_FORMAT: "json" } : {}),
    };
    const wanted = Object.entries(given).filter(([, value]) => value !== undefined);
    await startGateway({ ...environment, ...Object.fromEntries(wanted) });
  },
};
