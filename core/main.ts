#!/usr/bin/env node
import process from "node:process";
import { runtimeFault } from "./version.ts";

const fault = runtimeFault(process.versions);
if (fault === undefined) {
  // Imported late, so that an old runtime still gets its plain sentence.
  const { runCommand } = await import("./command/run.ts");
  await runCommand(process.argv.slice(2));
} else {
  process.stderr.write(`${fault}\n`);
  process.exitCode = 1;
}
