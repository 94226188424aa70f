import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

/** A gateway as a process of its own, started as a user starts it. */
export interface GatewayProcess {
  readonly child: ChildProcess;
  /** What it said when it was ready; undefined fields were not printed. */
  readonly ready: ReadyLine;
  /** Everything it has printed so far. */
  output(): string;
  /** Sends a signal and answers the exit code. */
  end(signal?: NodeJS.Signals): Promise<number | null>;
}

/** The line a start prints with `LOG_FORMAT=json`. */
export interface ReadyLine {
  readonly startedInMs: number;
  readonly baseUrl: string;
  readonly apiKey?: string;
  readonly password?: string;
  readonly curl?: string;
}

/** How a start that failed ended. */
export interface FailedStart {
  readonly code: number | null;
  readonly output: string;
}

const entry = fileURLToPath(new URL("../main.ts", import.meta.url));

/** Makes a data folder that is removed by `remove`. */
export function temporaryFolder(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), "vmx-start-"));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** Starts a gateway and waits until it is ready. Rejects with its output when it ends before. */
export async function startProcess(
  environment: Readonly<Record<string, string>>,
  command: readonly string[] = [process.execPath, entry],
): Promise<GatewayProcess> {
  const started = await launch(environment, command);
  if ("code" in started) {
    throw new Error(`The gateway ended with ${started.code}:\n${started.output}`);
  }
  return started;
}

/** Starts a gateway that is expected not to start. */
export async function failToStart(
  environment: Readonly<Record<string, string>>,
): Promise<FailedStart> {
  const started = await launch(environment, [process.execPath, entry]);
  if ("code" in started) return started;
  await started.end();
  throw new Error(`The gateway started:\n${started.output()}`);
}

function launch(
  environment: Readonly<Record<string, string>>,
  [program, ...args]: readonly string[],
): Promise<GatewayProcess | FailedStart> {
  const child = spawn(program!, args, {
    env: { PATH: process.env["PATH"], PORT: "0", LOG_FORMAT: "json", ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  return new Promise((resolve) => {
    const read = (chunk: Buffer) => {
      output += chunk.toString("utf8");
      const line = output.split("\n").find((each) => each.startsWith('{"event":"ready"'));
      if (line === undefined || !output.includes(`${line}\n`)) return;
      resolve({
        child,
        ready: JSON.parse(line) as ReadyLine,
        output: () => output,
        end(signal = "SIGTERM") {
          child.kill(signal);
          return ended;
        },
      });
    };
    child.stdout.on("data", read);
    child.stderr.on("data", read);
    ended.then((code) => resolve({ code, output }));
  });
}
