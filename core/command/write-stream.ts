import { createWriteStream } from "node:fs";
import process from "node:process";
import { pipeline } from "node:stream/promises";
import { CommandError, type Flags, type Input } from "./command.ts";

/** The option that names a file to write instead of standard output. */
export const fileFlag: Flags = {
  file: {
    type: "string",
    short: "f",
    value: "FILE",
    description: "file to write; it is overwritten",
  },
};

/**
 * Writes what the gateway sends to standard output, or to the file of `--file`, which only the user can read.
 *
 * Throws a CommandError when the file cannot be written.
 */
export async function writeStream(
  input: Pick<Input, "text" | "terminal">,
  data: ReadableStream<Uint8Array>,
): Promise<void> {
  const file = input.text("file");
  if (file === undefined) return await pipeline(data, process.stdout, { end: false });
  let bytes = 0;
  const written = pipeline(data, async function* (chunks: AsyncIterable<Uint8Array>) {
    for await (const chunk of chunks) {
      bytes += chunk.byteLength;
      yield chunk;
    }
  }, createWriteStream(file, { mode: 0o600 })).catch((error: NodeJS.ErrnoException) => {
    if (error.syscall === undefined) throw error;
    throw new CommandError(`Cannot write ${file}: ${error.code}`);
  });
  await input.terminal.during(`Writing ${file}`, written, () => sizeOf(bytes));
  input.terminal.say(`${bytes} bytes written to ${file}`);
}

function sizeOf(bytes: number): string {
  return bytes < 1e6 ? `${Math.round(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
