import process from "node:process";
import type { Log } from "../contract/index.ts";

/** The first signal stops and ends the process with 0, or with 1 when that fails; a second one ends it at once. */
export function stopOnSignals(stop: () => Promise<void>, log: Log): void {
  let stopping = false;
  const onSignal = () => {
    if (stopping) process.exit(1);
    stopping = true;
    exitAfter(stop, log);
  };
  process.on("SIGTERM", onSignal);
  process.on("SIGINT", onSignal);
}

/** Ends the process when it has stopped. */
export function exitAfter(stop: () => Promise<void>, log: Log): void {
  stop().then(() => process.exit(0), (error: unknown) => {
    log.error("Cannot stop cleanly", { error });
    process.exit(1);
  });
}

/** One faulty plugin must not take everybody's streams down with it. */
export function outliveFaults(log: Log): void {
  for (const event of ["uncaughtException", "unhandledRejection"] as const) {
    process.on(event, (error: unknown) => log.error("A fault nobody caught", { error }));
  }
}
