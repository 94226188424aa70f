import process from "node:process";
import { type Config, loadConfig } from "../config.ts";
import { installationRoot } from "../host/discover.ts";
import { createKernel } from "../kernel.ts";
import type { Environment } from "../setting-reader.ts";
import { StartError } from "../start-error.ts";
import { describeStart } from "./describe-start.ts";
import { outliveFaults, stopOnSignals } from "./stop-on-signals.ts";

/** Starts the gateway and keeps it running until it is told to stop. */
export async function start(environment: Environment): Promise<void> {
  try {
    const terminal = process.stderr.isTTY === true;
    const config = loadConfig(environment, installationRoot(), { terminal });
    if (config.processes > 1) await startSeveral(config, environment);
    else await startAlone(config, environment);
  } catch (error) {
    const message = error instanceof StartError
      ? error.message
      : `Cannot start: ${error instanceof Error ? error.stack : String(error)}`;
    process.stderr.write(`${message}\n`);
    process.exit(1);
  }
}

async function startAlone(config: Config, environment: Environment): Promise<void> {
  const kernel = await createKernel(config, environment);
  process.stdout.write(describeStart(kernel));
  stopOnSignals(() => kernel.stop(), kernel.log);
  outliveFaults(kernel.log);
}

/** What only several processes need is not loaded for one. */
async function startSeveral(config: Config, environment: Environment): Promise<void> {
  const { isWorker, startProcesses, work } = await import("./processes.ts");
  if (isWorker()) return await work(config, environment);
  const processes = await startProcesses(config, environment);
  process.stdout.write(describeStart(processes));
  stopOnSignals(() => processes.stop(), processes.log);
  outliveFaults(processes.log);
}
