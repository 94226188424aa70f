import { expect, test } from "vitest";
import { momentBefore } from "./age.ts";
import { operandsAmong, readArguments } from "./arguments.ts";
import { allCommands } from "./catalogue.ts";
import { entities, findEntity, operandsOf, operations } from "./entities.ts";
import { flagsOf, helpOf } from "./help.ts";
import { flagsOfBody } from "./object-body.ts";
import { tableOf } from "./table.ts";

const flags = {
  name: { type: "string", short: "n", description: "" },
  labels: { type: "string", multiple: true, description: "" },
  enabled: { type: "boolean", description: "" },
  mode: { type: "string", choices: ["on", "off"], description: "" },
} as const;

test("options are read wherever they stand, with values of their own or after an equals sign", () => {
  const { positionals, values } = readArguments(
    ["get", "--name=a b", "keys", "--labels", "x", "--labels", "y", "--no-enabled", "--", "--z"],
    flags,
  );
  expect(positionals).toEqual(["get", "keys", "--z"]);
  expect(values).toEqual({ name: ["a b"], labels: ["x", "y"], enabled: false });
});

test.each([
  [["--nme", "a"], "did you mean --name?"],
  [["--name"], "--name needs a value"],
  [["--enabled=yes"], "--enabled takes no value"],
  [["--mode", "of"], "--mode must be one of on, off"],
  [["--constructor", "a"], "There is no option --constructor"],
  [["-x"], "There is no option -x"],
])("%j is refused: %s", (args, says) => {
  expect(() => readArguments(args, flags)).toThrow(says);
});

test("the operands are known before the options are that depend on them", () => {
  expect(operandsAmong(["-n", "value", "key", "--unknown", "app"], flags)).toContain("key");
  expect(operandsAmong(["--name", "value", "key"], flags)).toEqual(["key"]);
});

test("every entity of the API has a word, and a word means one entity", () => {
  for (const [word, name] of [["connections", "ai-connection"], ["keys", "api-key"]] as const) {
    expect(findEntity(word)?.name).toBe(name);
  }
  expect(findEntity("permission")?.operations.get?.id).toBe("listPermissions");
  expect(findEntity("nothing")).toBeUndefined();
  const reached = entities().flatMap((entity) =>
    Object.values(entity.operations).map(({ id }) => id)
  );
  const nouns = Object.keys(operations()).filter((id) =>
    /^(list|create|update|delete)[A-Z]/.test(id)
  );
  expect(nouns.filter((id) => !reached.includes(id as typeof reached[number]))).toEqual([]);
  const environment = findEntity("env")!;
  expect(operandsOf(environment, environment.operations.get!)).toEqual(["environmentId"]);
});

test("fields of a body are options, but for secrets", () => {
  const user = flagsOfBody(operations()["createUser"]!);
  expect(user["state"]).toMatchObject({ choices: expect.arrayContaining(["ACTIVE"]) });
  expect(user["role-ids"]).toMatchObject({ type: "string", multiple: true });
  expect(user).not.toHaveProperty("password");
  const connection = flagsOfBody(operations()["createAiConnection"]!);
  expect(connection["enabled"]).toMatchObject({ type: "boolean" });
});

test("every command has an example, and its help names every option it takes", async () => {
  for (const command of await allCommands()) {
    expect(command.examples.length, command.name).toBeGreaterThan(0);
    const help = helpOf(command);
    for (const name of Object.keys(flagsOf(command))) expect(help).toContain(`--${name}`);
    // The examples are meant to be pasted.
    for (const example of command.examples) expect(example).toContain("vmx");
  }
});

test("no option takes a secret itself", async () => {
  for (const command of await allCommands()) {
    const named = Object.keys(flagsOf(command)).filter((name) =>
      /(password|secret|token|api-?key)$/i.test(name)
    );
    expect(named, command.name).toEqual([]);
  }
});

test("a table shows what tells objects apart, and nothing that could move the cursor", () => {
  const rows = [
    {
      apiKeyId: "0d40829e-9d68-490f-bb34-41b0e072f618",
      name: "a\u001b[2J",
      labels: ["x"],
      gone: null,
    },
    { apiKeyId: "1d40829e-9d68-490f-bb34-41b0e072f618", name: "b", labels: [], gone: null },
  ];
  expect(tableOf(rows, false)).toBe("NAME   LABELS\na [2J  x\nb      -\n");
  expect(tableOf(rows, true)).toContain("API KEY ID");
  expect(tableOf([], false)).toBe("");
});

test("an age is a moment before now", () => {
  expect(momentBefore("90m", 5_400_000)).toBe("1970-01-01T00:00:00.000Z");
  expect(() => momentBefore("yesterday")).toThrow("30m, 6h or 7d");
});
