import { allCommands, catalogue, findCommand } from "../catalogue.ts";
import { type Command, type Flag, type Flags, UsageError } from "../command.ts";
import { chooseTarget, createClient } from "../connect.ts";
import { entities, findEntity, type Verb } from "../entities.ts";
import { flagsOf } from "../help.ts";
import { listOperation } from "../call.ts";
import { nameOf } from "../output.ts";

/** The shell asks `vmx complete` with the words so far; the last one is being typed. */
const scripts: Readonly<Record<string, string>> = {
  bash: `_vmx() {
  local IFS=$'\\n'
  COMPREPLY=($(vmx complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _vmx vmx
`,
  zsh: `#compdef vmx
_vmx() {
  local -a candidates
  candidates=("\${(@f)$(vmx complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  compadd -a candidates
}
compdef _vmx vmx
`,
  fish: `function __vmx_complete
  set -l words (commandline -opc) (commandline -ct)
  vmx complete -- $words[2..-1] 2>/dev/null
end
complete -c vmx -f -a '(__vmx_complete)'
`,
};

/** `vmx completion`. */
export const completion: Command = {
  name: "completion",
  summary: "prints the completion of a shell: commands, options, and names of objects",
  operands: "bash|zsh|fish",
  examples: [
    "source <(vmx completion bash)",
    "vmx completion zsh > ~/.zfunc/_vmx",
    "vmx completion fish > ~/.config/fish/completions/vmx.fish",
  ],
  run({ positionals: [shell = ""], terminal }) {
    const script = Object.hasOwn(scripts, shell) ? scripts[shell] : undefined;
    if (script === undefined) throw new UsageError("Name the shell: bash, zsh or fish");
    terminal.out(script);
    return Promise.resolve();
  },
};

/** `vmx complete`: what could stand in place of the last word. For the shells alone. */
export const complete: Command = {
  name: "complete",
  summary: "lists what could stand in place of the last word",
  operands: "-- WORD...",
  examples: ["vmx complete -- get conn"],
  async run(input) {
    const words = input.positionals;
    const last = words.at(-1) ?? "";
    const candidates = await candidatesFor(words, input.environment);
    const fitting = [...new Set(candidates)].filter((each) => each.startsWith(last));
    input.terminal.out(fitting.map((each) => `${each}\n`).join(""));
  },
};

type Environment = Readonly<Record<string, string | undefined>>;

async function candidatesFor(words: readonly string[], environment: Environment) {
  const before = words.slice(0, -1);
  const last = words.at(-1) ?? "";
  const found = findCommand(before);
  if (!found) {
    const names = (await allCommands()).map(({ name }) => name);
    const [family] = before;
    return family === undefined
      ? names.map((name) => name.split(" ")[0]!)
      : names.flatMap((name) => name.startsWith(`${family} `) ? [name.split(" ")[1]!] : []);
  }
  const command = await catalogue[found.name]!();
  const operands = found.rest.filter((word) => !word.startsWith("-"));
  const flags = flagsOf(command, operands);
  const open = flagNamed(flags, found.rest.at(-1) ?? "");
  if (open?.type === "string") return [...open.choices ?? []];
  if (last.startsWith("-")) return Object.keys(flags).map((name) => `--${name}`);
  if (found.name === "completion") return Object.keys(scripts);
  const verb = verbsOf[found.name];
  if (verb !== undefined && operands.length === 0) {
    return entities().filter(({ operations }) => operations[verb] ?? operations.list)
      .flatMap(({ name, plural, aliases }) => [name, plural, ...aliases]);
  }
  const entity = verb === undefined ? families[found.name.split(" ")[0]!] : operands[0];
  return verb === "create" || entity === undefined ? [] : await namesOf(entity, environment);
}

/** The option a word such as `--output` or `-o` stands for. */
function flagNamed(flags: Flags, word: string): Flag | undefined {
  const [, name, short] = /^(?:--([\w-]+)|-(\w))$/.exec(word) ?? [];
  if (name !== undefined) return Object.hasOwn(flags, name) ? flags[name] : undefined;
  return short === undefined
    ? undefined
    : Object.values(flags).find((flag) => flag.short === short);
}

const verbsOf: Readonly<Record<string, Verb>> = {
  get: "get",
  describe: "get",
  create: "create",
  update: "update",
  delete: "delete",
};

const families: Readonly<Record<string, string>> = {
  connection: "ai-connection",
  resource: "ai-resource",
  key: "api-key",
};

/** Names of objects, if the gateway says them before the person has typed them. */
async function namesOf(word: string, environment: Environment): Promise<string[]> {
  const list = findEntity(word)?.operations.list;
  if (!list) return [];
  try {
    const target = await chooseTarget({ environment, text: () => undefined });
    const vmx = createClient({ ...target, maxRetries: 0, timeoutMs: 1_500 });
    const scope: Readonly<Record<string, string>> = {
      workspaceId: target.workspace,
      environmentId: target.environment,
    };
    const path = Object.fromEntries(list.path.map((name) => [name, scope[name] ?? ""]));
    return (await listOperation(vmx, { operation: list, path }, 200)).map(nameOf);
  } catch {
    // A shell that is completing shows no errors.
    return [];
  }
}
