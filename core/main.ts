#!/usr/bin/env node
import "./require-node.js";
import process from "node:process";

// Imported late, so that an old runtime still gets its plain sentence.
const { runCommand } = await import("./command/run.ts");
await runCommand(process.argv.slice(2));
