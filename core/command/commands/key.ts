import { type Command, type Input, UsageError } from "../command.ts";
import { findEntity } from "../entities.ts";
import { flagsOfBody } from "../object-body.ts";
import { createFlags, createObject, tell } from "./create.ts";

/** Times the API knows, and how people write them. */
const graces: Readonly<Record<string, 0 | 3_600 | 86_400 | 604_800>> = {
  "0": 0,
  "1h": 3_600,
  "24h": 86_400,
  "7d": 604_800,
};

/** `vmx key create`. */
export const keyCreate: Command = {
  name: "key create",
  summary: "creates an API key and prints its value, this once",
  operands: "NAME",
  details: ["The same as vmx create key. Standard output is the value alone, ready to be piped."],
  flagsFor: () => {
    const operation = findEntity("api-key")?.operations.create;
    return { ...(operation ? flagsOfBody(operation) : {}), ...createFlags };
  },
  examples: [
    "vmx key create app --resources chat --labels ci",
    "vmx key create app --expires-at 2027-01-01T00:00:00Z -o json",
    "API_KEY=$(vmx key create app)",
  ],
  remote: true,
  run: (input) => createObject(input, ["api-key", ...input.positionals]),
};

/** `vmx key roll`. */
export const keyRoll: Command = {
  name: "key roll",
  summary: "gives an API key a new value and prints it, this once",
  operands: "NAME",
  flags: {
    grace: {
      type: "string",
      value: Object.keys(graces).join("|"),
      choices: Object.keys(graces),
      description: "how long the old value stays valid; 0 when absent",
    },
  },
  examples: ["vmx key roll app --grace 24h", "vmx key roll app -o json"],
  remote: true,
  async run(input: Input) {
    const [name] = input.positionals;
    if (name === undefined) throw new UsageError("Name the key: vmx key roll NAME");
    const grace = input.text("grace") ?? "0";
    const key = await (await input.vmx()).apiKeys.roll(name, { graceSeconds: graces[grace] ?? 0 });
    tell(
      input,
      findEntity("api-key")!,
      key,
      grace === "0"
        ? "rolled; the old value is no longer valid"
        : `rolled; the old value stays valid for ${grace}`,
    );
  },
};
