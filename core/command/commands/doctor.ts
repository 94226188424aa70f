import { access, constants } from "node:fs/promises";
import { createServer } from "node:net";
import { dirname } from "node:path";
import process from "node:process";
import { VmxError } from "@vmx/sdk";
import { type Config, loadConfig } from "../../config.ts";
import { installationRoot } from "../../host/discover.ts";
import { version } from "../../version.ts";
import type { Command, Input } from "../command.ts";
import { chooseTarget, createClient } from "../connect.ts";
import { checkParts, type Finding } from "../check-parts.ts";
import { describeError, exitCodes } from "../exit-codes.ts";
import { type Row, writeList } from "../output.ts";

/** `vmx doctor`. */
export const doctor: Command = {
  name: "doctor",
  summary: "checks what a gateway here needs to start, and whether the chosen one answers",
  details: [
    "Looks at settings, folder, port, plugins, encryption, database and what processes share. Exits with 1 when a check " +
    "fails. Nothing is changed.",
  ],
  examples: ["vmx doctor", "vmx doctor --context prod -o json"],
  remote: true,
  async run(input) {
    const { environment, format, terminal } = input;
    const rows: Row[] = [];
    const add = (check: string, { state, detail }: Finding) => {
      rows.push({ check, state, detail });
      // The table cuts long sentences off; what is wrong is told whole.
      if (state !== "ok") terminal.say(`${check}: ${detail}`);
    };
    add("version", {
      state: "ok",
      detail: `vmx ${version}, ${"Deno" in globalThis ? "Deno" : "Node"} ${process.version}`,
    });
    const config = readSettings(input);
    add(
      "settings",
      "state" in config ? config : { state: "ok", detail: "every variable is valid" },
    );
    if (!("state" in config)) {
      add("data folder", await checkFolder(config.dataDir));
      add("port", await checkPort(config));
      const parts = await input.terminal.during(
        "Looking at what a start needs",
        checkParts(config, environment),
      );
      for (const [check, finding] of parts) add(check, finding);
    }
    const { gateway, answers } = await input.terminal.during("Asking the gateway", ask(input));
    add("gateway", gateway);
    if (answers) add("sign-in", await checkSignIn(input));
    terminal.out(writeList(rows, format, terminal));
    return rows.some(({ state }) => state === "failed") ? exitCodes.failed : exitCodes.ok;
  },
};

function readSettings({ environment }: Input): Config | Finding {
  try {
    return loadConfig(environment, installationRoot());
  } catch (error) {
    return { state: "failed", detail: describeError(error) };
  }
}

async function checkFolder(folder: string): Promise<Finding> {
  const rights = constants.R_OK | constants.W_OK | constants.X_OK;
  // The first start makes the folder: until then the one above it decides.
  for (let place = folder;; place = dirname(place)) {
    try {
      await access(place, rights);
      return {
        state: "ok",
        detail: place === folder ? `${folder} can be written to` : `${folder} can be made`,
      };
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== "ENOENT" || place === dirname(place)) {
        return { state: "failed", detail: `${place} cannot be written to: ${code}` };
      }
    }
  }
}

function checkPort({ host, port }: Config): Promise<Finding> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", ({ code }: NodeJS.ErrnoException) =>
      resolve(
        code === "EADDRINUSE"
          ? { state: "warning", detail: `${host}:${port} is taken, perhaps by a gateway` }
          : { state: "failed", detail: `${host}:${port} cannot be listened on: ${code}` },
      ));
    server.listen(
      port,
      host,
      () => server.close(() => resolve({ state: "ok", detail: `${host}:${port} is free` })),
    );
  });
}

async function ask(input: Input): Promise<{ gateway: Finding; answers: boolean }> {
  const { baseUrl } = await chooseTarget(input);
  try {
    await createClient({ baseUrl, maxRetries: 0, timeoutMs: 5_000 }).auth.options();
    return { gateway: { state: "ok", detail: `${baseUrl} answers` }, answers: true };
  } catch (error) {
    const detail = error instanceof VmxError ? error.message : describeError(error);
    return { gateway: { state: "failed", detail }, answers: false };
  }
}

async function checkSignIn(input: Input): Promise<Finding> {
  const { token, context } = await chooseTarget(input);
  if (token === undefined) return { state: "warning", detail: "no token; sign in: vmx login" };
  try {
    const { username } = await (await input.vmx()).me.get();
    return { state: "ok", detail: `${username}${context ? `, context ${context}` : ""}` };
  } catch (error) {
    return { state: "failed", detail: error instanceof VmxError ? error.message : String(error) };
  }
}
