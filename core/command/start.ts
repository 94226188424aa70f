import process from "node:process";
import { loadConfig } from "../config.ts";
import { installationRoot } from "../host/discover.ts";
import { createKernel, type Kernel } from "../kernel.ts";
import type { Environment } from "../setting-reader.ts";
import { StartError } from "../start-error.ts";
import { describeStart } from "./describe-start.ts";

/** Starts the gateway and keeps it running until it is told to stop. */
export async function start(environment: Environment): Promise<void> {
  try {
    const terminal = process.stderr.isTTY === true;
    const config = loadConfig(environment, installationRoot(), { terminal });
    const kernel = await createKernel(config, environment);
    process.stdout.write(describeStart(kernel));
    stopOnSignals(kernel);
  } catch (error) {
    const message = error instanceof StartError
      ? error.message
      : `Cannot start: ${error instanceof Error ? error.stack : String(error)}`;
    process.stderr.write(`${message}\n`);
    process.exit(1);
  }
}

/** The first signal drains; a second one ends the process at once. */
function stopOnSignals(kernel: Kernel): void {
  let stopping = false;
  const stop = () => {
    if (stopping) process.exit(1);
    stopping = true;
    kernel.stop().then(() => process.exit(0), (error: unknown) => {
      kernel.log.error("Cannot stop cleanly", { error });
      process.exit(1);
    });
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  for (const event of ["uncaughtException", "unhandledRejection"] as const) {
    // One faulty plugin must not take everybody's streams down with it.
    process.on(event, (error: unknown) => kernel.log.error("A fault nobody caught", { error }));
  }
}
