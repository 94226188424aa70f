#!/usr/bin/env node
// The command `vmx`. JavaScript, because a Node that cannot read TypeScript has to get as far as the plain sentence.
import "./require-node.js";
import { existsSync } from "node:fs";

// Published packages hold JavaScript alone.
const source = new URL("./main.ts", import.meta.url);
await import(existsSync(source) ? source.href : "./main.js");
