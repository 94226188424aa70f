import type { BodyOf } from "@vmx/sdk";
import { stringify } from "yaml";
import { promptDialect } from "../../default-plugins.ts";
import { type Command, UsageError } from "../command.ts";
import { readObjectFile } from "../object-body.ts";
import { writeOne } from "../output.ts";
import { routeTestText } from "../shown-rows.ts";

/** `vmx resource route-test`. */
export const resourceRouteTest: Command = {
  name: "resource route-test",
  summary: "shows where a request would go and why, without calling a provider",
  operands: "NAME",
  details: [
    "The request is a text (--prompt), or a body in the caller's own dialect (--file). --draft tests edits that " +
    "are not saved; --assume sets what rules meet, such as an error rate. -o wide shows the whole answer.",
  ],
  flags: {
    prompt: { type: "string", short: "p", value: "TEXT", description: "text of a user message" },
    file: {
      type: "string",
      short: "f",
      value: "FILE",
      description: "request body; - is standard input",
    },
    dialect: {
      type: "string",
      value: "DIALECT",
      description: `dialect of the body; ${promptDialect} when absent`,
    },
    header: {
      type: "string",
      multiple: true,
      value: "NAME=VALUE",
      description: "request header, such as x-vmx-metadata-tier=gold",
    },
    key: { type: "string", value: "NAME", description: "API key the request would be made with" },
    draft: { type: "string", value: "FILE", description: "edits of the resource, in a file" },
    assume: { type: "string", value: "FILE", description: "assumed values, in a file" },
  },
  examples: [
    "vmx resource route-test chat --prompt 'hello'",
    "vmx resource route-test chat -f request.json --draft routing.yaml -o json",
    "vmx resource route-test chat -p hello --header x-vmx-metadata-tier=gold",
  ],
  remote: true,
  async run(input) {
    const [name] = input.positionals;
    if (name === undefined) throw new UsageError("Name the resource: vmx resource route-test NAME");
    const prompt = input.text("prompt");
    const file = input.text("file");
    if ((prompt === undefined) === (file === undefined)) {
      throw new UsageError("Give a request: --prompt TEXT, or --file FILE");
    }
    const body = await readObjectFile(input, file) ??
      { messages: [{ role: "user", content: prompt }] };
    const request: Record<string, unknown> = {
      dialect: input.text("dialect") ?? promptDialect,
      body,
      ...(input.text("key") === undefined ? {} : { apiKeyId: input.text("key") }),
      ...optional("headers", readHeaders(input.texts("header"))),
      ...optional("resource", await readObjectFile(input, input.text("draft"))),
      ...optional("assume", await readObjectFile(input, input.text("assume"))),
    };
    // The gateway checks drafts and assumptions, and names what is wrong in them.
    const answer = await (await input.vmx()).aiResources
      .routeTest(name, request as BodyOf<"testAiResourceRoute">);
    const { terminal, format } = input;
    terminal.out(
      format === "wide"
        ? stringify(answer)
        : format === "table"
        ? routeTestText(answer)
        : writeOne(answer, format),
    );
  },
};

function optional(name: string, value: unknown): Record<string, unknown> {
  return value === undefined ? {} : { [name]: value };
}

function readHeaders(texts: readonly string[]): Record<string, string> | undefined {
  if (texts.length === 0) return undefined;
  return Object.fromEntries(texts.map((text) => {
    const [, name, value] = /^([^=\s]+)=(.*)$/s.exec(text) ?? [];
    if (name !== undefined && value !== undefined) return [name, value];
    throw new UsageError("--header takes NAME=VALUE, such as x-vmx-metadata-tier=gold");
  }));
}
