import type { Vmx } from "@vmx/sdk";
import type { Command, Input } from "../command.ts";
import { findEntity } from "../entities.ts";
import { type Format, type Row, writeList, writeOne } from "../output.ts";
import type { Screen } from "../table.ts";
import { type IdOf, readUsageQuestion, usageFlags } from "../usage-question.ts";
import { fileFlag, writeStream } from "../write-stream.ts";
import { readOne } from "./get.ts";

/** `vmx usage report`. */
export const usageReport: Command = {
  name: "usage report",
  summary: "adds up requests, tokens, durations and cost, by what and when",
  details: [
    "Tables show costs in whole units of the price list's currency. With -o json and yaml the answer comes as the " +
    "API gives it: costs in nano-units, durations in milliseconds. --csv has the units in its header.",
  ],
  flagsFor: () => ({
    ...usageFlags(),
    csv: { type: "boolean", description: "writes CSV instead" },
    ...fileFlag,
    file: { ...fileFlag["file"]!, description: "file to write the CSV to; it is overwritten" },
  }),
  examples: [
    "vmx usage report --since 7d --by model",
    "vmx usage report --by resource --metric totalCost --metric requestDuration:p95 --granularity day",
    "vmx usage report --where key=app --by metadata.team --csv -f usage.csv",
  ],
  remote: true,
  async run(input) {
    const vmx = await input.vmx();
    const question = await readUsageQuestion(input, idsOf(input));
    const { terminal, format } = input;
    if (input.flag("csv") || input.text("file") !== undefined) {
      const { data } = await vmx.usage.export(question);
      return await writeStream(input, data);
    }
    const answer = await terminal.during("Adding up", vmx.usage.query(question));
    terminal.out(writeAnswer(answer, format, terminal));
    if (answer.data.length === 0) terminal.say("Nothing was used in this time.");
    if (answer.truncated) terminal.say("There are more rows: raise --limit.");
  },
};

type Answer = Awaited<ReturnType<Vmx["usage"]["query"]>>;

function writeAnswer(answer: Answer, format: Format, screen: Screen): string {
  if (format === "json" || format === "yaml") return writeOne({ ...answer }, format);
  const rows = answer.data.map(forEyes);
  if (format !== "name") return writeList(rows, format, screen);
  // What a loop goes over is the first thing the rows are grouped by.
  return rows.map((row) => `${Object.values(row)[0] ?? ""}\n`).join("");
}

/** Names instead of ids, and numbers with their unit in the title. */
function forEyes(row: Row): Row {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]): [string, unknown] => {
      if (typeof value === "object" && value !== null && "displayName" in value) {
        return [name.replace(/Id$/, ""), value.displayName];
      }
      if (typeof value !== "number") return [name, value];
      if (name.endsWith("Cost")) return [name, (value / 1e9).toFixed(6)];
      const rounded = Math.round(value * 10) / 10;
      return [/Duration$|FirstToken$/.test(name) ? `${name}Ms` : name, rounded];
    }),
  );
}

/** Entities by the dimension that holds their ids. */
const entityOf: Readonly<Record<string, string>> = {
  resourceId: "ai-resource",
  connectionId: "ai-connection",
  apiKeyId: "api-key",
  userId: "user",
};

/** Ids of objects that still exist; whatever else is asked for is looked for as it stands. */
function idsOf(input: Input): IdOf {
  const isId = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$|^ephemeral$/;
  return async (dimension, value) => {
    const entity = Object.hasOwn(entityOf, dimension)
      ? findEntity(entityOf[dimension]!)
      : undefined;
    // What is deleted has left its usage behind.
    if (!entity || isId.test(value)) return value;
    return String((await readOne(input, entity, [value]))[dimension]);
  };
}
