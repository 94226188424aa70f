import { execFile, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

/** A Python process that holds the SDKs. */
export interface Python {
  /** Sends a request and hands over each line of the answer until `onLine` answers false. */
  request(members: object, onLine: (line: PythonLine) => object | boolean): Promise<void>;
  close(): Promise<void>;
}

/** See `serve.py`. */
export interface PythonLine {
  readonly text?: string;
  readonly echo?: string;
  readonly result?: unknown;
  readonly error?: { readonly classes: readonly string[]; readonly message: string };
}

const run = promisify(execFile);
const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));

/** Starts Python with the packages of `requirements.txt`, installed into a cache on first use. */
export async function startPython(): Promise<Python> {
  const child = spawn(await interpreter(), ["-u", path("./serve.py")], {
    stdio: ["pipe", "pipe", "inherit"],
    env: { PATH: process.env["PATH"], NO_PROXY: "*", PYTHONDONTWRITEBYTECODE: "1" },
  });
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const send = (members: object) => void child.stdin.write(`${JSON.stringify(members)}\n`);
  return {
    async request(members, onLine) {
      send(members);
      for (;;) {
        const { value, done } = await lines.next();
        if (done) throw new Error("Python ended in the middle of a request");
        const next = onLine(JSON.parse(value));
        if (next === false) return;
        if (typeof next === "object") send(next);
      }
    },
    async close() {
      child.stdin.end();
      await ended;
    },
  };
}

async function interpreter(): Promise<string> {
  const requirements = path("./requirements.txt");
  const digest = createHash("sha256").update(readFileSync(requirements)).digest("hex");
  const folder = path(`../../node_modules/.cache/clients-python-${digest.slice(0, 12)}`);
  const ready = `${folder}/ready`;
  if (!existsSync(ready)) {
    rmSync(folder, { recursive: true, force: true });
    await run("python3", ["-m", "venv", folder]);
    await run(`${folder}/bin/pip`, [
      "install",
      "--quiet",
      "--disable-pip-version-check",
      "--no-deps",
      "-r",
      requirements,
    ]);
    // Whoever is interrupted before leaves nothing that looks complete.
    writeFileSync(ready, "");
  }
  return `${folder}/bin/python`;
}
