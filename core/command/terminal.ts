import { createInterface } from "node:readline/promises";
import process from "node:process";
import { Writable } from "node:stream";

/** Where a command reads and writes. Data goes out, talk goes to `say`. */
export interface Terminal {
  /** Writes data to standard output. */
  out(text: string): void;
  /** Writes a line of talk to standard error. */
  say(line: string): void;
  /** Whether somebody can be asked. */
  readonly interactive: boolean;
  /** Width of standard output in characters; undefined when it is no terminal. */
  readonly columns: number | undefined;
  /** Whether standard output shows colours. */
  readonly colours: boolean;
  /** Asks a question; `hidden` shows nothing of what is typed. */
  ask(question: string, hidden?: boolean): Promise<string>;
  /** Reads standard input to its end. */
  readInput(): Promise<string>;
  /**
   * Tells on standard error that work is going on, when it takes long.
   *
   * @param progress how far it has come, in words
   */
  during<T>(work: string, promise: Promise<T>, progress?: () => string): Promise<T>;
}

/** The process's own terminal. */
export function createTerminal(): Terminal {
  const { stdin, stdout, stderr, env } = process;
  const interactive = stdin.isTTY === true && stderr.isTTY === true;
  const plain = Boolean(env["NO_COLOR"]) || env["TERM"] === "dumb";
  let input: Promise<string> | undefined;

  return {
    interactive,
    // A terminal nobody has given a size has none.
    columns: stdout.isTTY ? stdout.columns || undefined : undefined,
    colours: stdout.isTTY === true && !plain,
    out: (text) => void stdout.write(text),
    say: (line) => void stderr.write(`${line}\n`),
    async ask(question, hidden = false) {
      const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
      const reader = createInterface({
        input: stdin,
        output: hidden ? silent : stderr,
        terminal: true,
      });
      try {
        // The terminal echoes nothing from here on, so that it can be asked for a secret.
        if (hidden) stderr.write(question);
        return await reader.question(hidden ? "" : question);
      } finally {
        reader.close();
        if (hidden) stderr.write("\n");
      }
    },
    // Several secrets cannot come from one input: it is read once.
    readInput: () => input ??= readAll(),
    async during(work, promise, progress) {
      const started = performance.now();
      const animated = stderr.isTTY === true && !plain;
      let told = false;
      const tell = () => {
        const seconds = Math.round((performance.now() - started) / 1_000);
        told = true;
        const parts = [`${seconds} s`, ...(progress ? [progress()] : [])].join(", ");
        if (animated) stderr.write(`\r\x1b[K${work}… ${parts}`);
        else stderr.write(`${work}…\n`);
      };
      // A moment of silence is no news; on a pipe one line is enough.
      const first = setTimeout(tell, 1_000);
      const next = animated ? setInterval(tell, 1_000) : undefined;
      try {
        return await promise;
      } finally {
        clearTimeout(first);
        clearInterval(next);
        if (animated && told) stderr.write("\r\x1b[K");
      }
    },
  };
}

async function readAll(): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString("utf8");
}
