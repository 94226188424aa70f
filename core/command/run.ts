import process from "node:process";
import { start } from "./start.ts";

const commands: Readonly<Record<string, (args: readonly string[]) => Promise<void>>> = { start };

/** Runs one `vmx` command; without a name it is `start`. */
export async function runCommand([name = "start", ...args]: readonly string[]): Promise<void> {
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command) return await command(args);
  process.stderr.write(
    `No command is named "${name}". Commands: ${Object.keys(commands).join(", ")}\n`,
  );
  process.exitCode = 2;
}
