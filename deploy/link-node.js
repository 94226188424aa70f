// Runs after `npm ci`, on whatever Node is installed, hence plain JavaScript for Node 20.
//
// Two optional packages bring Node 24 along, one for each processor. npm 10 removes the one that does not fit together
// with `node_modules/.bin/node`, which by then belongs to the other; npm 11 keeps the link and nothing is left to do.
import { existsSync, symlinkSync } from "node:fs";

const folder = new URL("../node_modules/.bin/", import.meta.url);
const binary = `../node-${process.platform}-${process.arch}/bin/node`;
const link = new URL("node", folder);

if (existsSync(new URL(binary, folder)) && !existsSync(link)) symlinkSync(binary, link);
