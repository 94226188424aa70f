import { stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { type Command, UsageError } from "../command.ts";
import { exitCodes } from "../exit-codes.ts";
import { type Row, writeList } from "../output.ts";
import { lendOwnPackages } from "../own-packages.ts";
import { activateOne } from "../try-plugin.ts";

/** Longest a case may take. */
const caseTimeoutMs = 30_000;

/** `vmx plugin list`. */
export const pluginList: Command = {
  name: "plugin list",
  summary: "lists the plugins of the gateway and how they fare",
  examples: ["vmx plugin list", "vmx plugin list -o json"],
  remote: true,
  async run({ vmx, format, terminal }) {
    const { data } = await (await vmx()).plugins.list();
    terminal.out(writeList(data, format, terminal));
  },
};

/** `vmx plugin test`. */
export const pluginTest: Command = {
  name: "plugin test",
  summary: "tests the plugin in a folder: manifest, activation, conformance to its contracts",
  operands: "[FOLDER]",
  details: [
    "Needs no gateway and nothing installed beside the plugin. The conformance cases are those that conformance.test.ts (or .js) of the plugin registers " +
    "with runCases. The plugin's code runs in this process, with all your rights. Exits with 1 when a case fails.",
  ],
  flags: {
    only: {
      type: "string",
      value: "TEXT",
      description: "runs only cases whose title holds the text",
    },
  },
  examples: ["vmx plugin test ./acme", "vmx plugin test ./acme --only stream -o json"],
  async run(input) {
    const folder = resolve(input.positionals[0] ?? ".");
    const { format, terminal } = input;
    const information = await stat(folder).catch(() => undefined);
    if (!information?.isDirectory()) throw new UsageError(`${folder} is no folder`);
    const rows: Row[] = [];
    // The table cuts long reasons off; here they are told whole.
    const add = (title: string, result: string, reason?: string) => {
      rows.push({ case: title, result, ...(reason === undefined ? {} : { reason }) });
      terminal.say(`${marks[result] ?? result} ${title}${reason ? `: ${reason}` : ""}`);
    };

    lendOwnPackages();
    const plugin = await terminal.during("Activating the plugin", activateOne(folder));
    add("manifest", plugin.manifest ? "failed" : "passed", plugin.manifest);
    if (plugin.manifest === undefined) {
      add("activation", plugin.activation ? "failed" : "passed", plugin.activation);
      const file = await conformanceFile(folder);
      if (file === undefined) {
        add("conformance", "failed", "the plugin has no conformance.test.ts or .js");
      } else {
        await runConformance(file, input.text("only"), add);
      }
    }
    terminal.out(writeList(rows, format, terminal));
    const failed = rows.filter(({ result }) => result === "failed").length;
    terminal.say(`${rows.length - failed} of ${rows.length} passed or skipped, ${failed} failed`);
    return failed > 0 ? exitCodes.failed : exitCodes.ok;
  },
};

const marks: Readonly<Record<string, string>> = { passed: "ok", failed: "FAILED", skipped: "skip" };

async function conformanceFile(folder: string): Promise<string | undefined> {
  for (const extension of ["ts", "js", "mjs"]) {
    const file = join(folder, `conformance.test.${extension}`);
    if (await stat(file).then(() => true, () => false)) return file;
  }
  return undefined;
}

async function runConformance(
  file: string,
  only: string | undefined,
  report: (title: string, result: string, reason?: string) => void,
): Promise<void> {
  // Loaded here: the cases bring services of their own along.
  const { collectCases } = await import("../../conformance/case.ts");
  const cases = await collectCases(() => import(pathToFileURL(file).href))
    .catch((error: unknown) => report("conformance", "failed", `Cannot load ${file}: ${error}`));
  if (!cases) return;
  const wanted = cases.filter(({ title }) => only === undefined || title.includes(only));
  if (wanted.length === 0) report("conformance", "failed", "no case is registered");
  for (const { title, skip, run } of wanted) {
    if (skip !== undefined) {
      report(title, "skipped", skip);
      continue;
    }
    const reason = await withinTime(run).then(() => undefined, reasonOf);
    report(title, reason === undefined ? "passed" : "failed", reason);
  }
}

async function withinTime(run: () => void | Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`no end after ${caseTimeoutMs / 1_000} s`)),
      caseTimeoutMs,
    );
  });
  try {
    await Promise.race([Promise.resolve().then(run), late]);
  } finally {
    clearTimeout(timer);
  }
}

function reasonOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replace(/\s+/g, " ").slice(
    0,
    500,
  );
}
