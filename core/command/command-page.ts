import { allCommands } from "./catalogue.ts";
import { entities, wordsFor } from "./entities.ts";
import { exitCodeMeanings } from "./exit-codes.ts";
import { callOf, helpOf } from "./help.ts";

/** The text of `docs/command.md`: what the help says, and what it is about. */
export async function commandPage(): Promise<string> {
  const commands = await allCommands();
  return `${
    [
      "# The command line",
      "",
      "<!-- Written by `npm run generate` from the commands themselves. -->",
      "",
      "`vmx` starts the gateway and sets up everything in it. In the repository it is `npx vmx`.",
      "",
      "Data goes to standard output, talk to standard error, so that data can be piped. `--output` chooses its format:",
      "`table` and `wide` for eyes, `json` and `yaml` as the API answers, `name` for loops. Without a terminal nothing is",
      "asked, nothing moves and nothing is coloured; with `NO_COLOR` nothing moves or is coloured anywhere. Secrets are",
      "read from variables, files or standard input, never from the command line.",
      "",
      "Which gateway is meant: `--base-url` and `--context` go before `VMX_BASE_URL`, `VMX_TOKEN`, `VMX_WORKSPACE`,",
      "`VMX_ENVIRONMENT` and `VMX_CONTEXT`, these before the current context, which `vmx login` makes. Contexts lie in",
      "`vmx/contexts.json` of the user's configuration folder, readable by the user alone. A stored token is sent to the",
      "gateway that made it and to no other address.",
      "",
      "| exit code | meaning |",
      "|---|---|",
      ...Object.entries(exitCodeMeanings).map(([code, meaning]) => `| ${code} | ${meaning} |`),
      "",
      "## Entities",
      "",
      "`get`, `describe`, `create`, `update` and `delete` work on every noun of the management API:",
      "",
      "| entity | also called | what can be done |",
      "|---|---|---|",
      ...entities().map((entity) => {
        const words = wordsFor(entity).filter((word) => word !== entity.name).join(", ");
        return `| ${entity.name} | ${words} | ${Object.keys(entity.operations).join(", ")} |`;
      }),
      "",
      "## Commands",
      ...commands.flatMap((command) => [
        "",
        `### vmx ${callOf(command)}`,
        "",
        "```",
        helpOf(command).trimEnd(),
        "```",
      ]),
    ].join("\n")
  }\n`;
}
