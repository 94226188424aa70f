import type { ConnectionTestResult } from "@vmx/sdk";
import { type Command, type Flags, type Input, UsageError } from "../command.ts";
import { operations } from "../entities.ts";
import { exitCodes } from "../exit-codes.ts";
import { type GivenBody, readBody } from "../object-body.ts";
import { writeOne } from "../output.ts";
import { memberSecretFlags } from "../secret-sources.ts";
import { checkSecrets } from "../visible-secrets.ts";

const configFlags: Flags = {
  file: {
    type: "string",
    short: "f",
    value: "FILE",
    description: "reads { provider, config } from a YAML or JSON file; - is standard input",
  },
  set: {
    type: "string",
    multiple: true,
    value: "FIELD=VALUE",
    description: "sets a field, such as config.baseUrl=https://example.com",
  },
  ...memberSecretFlags,
};

/** `vmx connection test`. */
export const connectionTest: Command = {
  name: "connection test",
  summary: "tests a connection, or a configuration that is not stored; exits with 1 when it fails",
  operands: "[NAME]",
  details: [
    "It lists the provider's models, and with --model also makes a call of one output token. For a stored " +
    "connection, fields that are given replace the stored ones for the test.",
  ],
  flags: {
    provider: {
      type: "string",
      value: "PROVIDER",
      description: "provider of a configuration that is not stored",
    },
    model: { type: "string", value: "MODEL", description: "model to call as well" },
    ...configFlags,
  },
  examples: [
    "vmx connection test local --model echo",
    "vmx connection test --provider PROVIDER --secret-from-env apiKey=PROVIDER_API_KEY",
  ],
  remote: true,
  async run(input) {
    const [name] = input.positionals;
    const saved = name !== undefined;
    const operation = saved ? "testAiConnection" : "testAiConnectionConfig";
    const given = await readBody(input, operations()[operation]!);
    const { body } = given;
    const vmx = await input.vmx();
    if (!saved && typeof body["provider"] !== "string") {
      throw new UsageError("Name a connection, or a provider: --provider PROVIDER");
    }
    await checkSecrets(
      input,
      given,
      saved ? (await vmx.aiConnections.get(name)).provider : body["provider"],
    );
    const result = await input.terminal.during(
      `Testing ${name ?? String(body["provider"])}`,
      saved
        ? vmx.aiConnections.test(name, body)
        : vmx.aiConnections.testConfig({ ...body, provider: String(body["provider"]) }),
    );
    return report(input, result);
  },
};

/** `vmx connection rotate`. */
export const connectionRotate: Command = {
  name: "connection rotate",
  summary: "replaces the credential of a connection, once the new one has passed a test",
  operands: "NAME",
  details: [
    "Calls under way finish with the old credential, the next ones use the new one. When the test fails, " +
    "nothing is changed and the exit code is 1.",
  ],
  flags: {
    model: { type: "string", value: "MODEL", description: "model to call in the test" },
    "skip-test": { type: "boolean", description: "stores the credential untested" },
    ...configFlags,
  },
  examples: [
    "vmx connection rotate main --secret-from-env apiKey=NEW_API_KEY",
    "vmx connection rotate main --secret-from-stdin apiKey < new-key.txt",
  ],
  remote: true,
  async run(input) {
    const [name] = input.positionals;
    if (name === undefined) throw new UsageError("Name the connection: vmx connection rotate NAME");
    const given: GivenBody = await readBody(input, operations()["updateAiConnection"]!);
    const config = given.body["config"] as Record<string, unknown> | undefined;
    if (config === undefined || Object.keys(config).length === 0) {
      throw new UsageError("Say where the new credential is: --secret-from-env FIELD=VARIABLE");
    }
    const vmx = await input.vmx();
    const { connectionId, provider, version } = await vmx.aiConnections.get(name);
    await checkSecrets(input, given, provider);
    if (!input.flag("skip-test")) {
      const model = input.text("model");
      const body = { config, ...(model === undefined ? {} : { model }) };
      const result = await input.terminal.during(
        "Testing the new credential",
        vmx.aiConnections.test(connectionId, body),
      );
      if (!result.ok) {
        input.terminal.say("The new credential does not work; nothing is changed.");
        return report(input, result);
      }
    }
    const changed = await vmx.aiConnections.update(connectionId, { config }, { ifMatch: version });
    const { terminal, format } = input;
    terminal.say(`${name} uses the new credential from the next call on.`);
    if (format !== "table" && format !== "wide") terminal.out(writeOne(changed, format));
  },
};

function report({ terminal, format }: Input, result: ConnectionTestResult): number {
  terminal.out(writeOne(result, format, terminal));
  if (!result.ok && result.message) terminal.say(result.message);
  return result.ok ? exitCodes.ok : exitCodes.failed;
}
