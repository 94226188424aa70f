import { callOperation, pathFor, requireEntity, requireOperation } from "../call.ts";
import { type Command, type Flags, type Input, UsageError } from "../command.ts";
import { type Entity, findEntity, operandsOf } from "../entities.ts";
import { flagsOfQuery, readQuery } from "../query.ts";
import { withSuggestion } from "./get.ts";

/** `vmx delete`: deletes objects. */
export const remove: Command = {
  name: "delete",
  summary: "deletes objects, after asking",
  operands: "ENTITY NAME...",
  flagsFor: ([word]): Flags => {
    const operation = word === undefined ? undefined : findEntity(word)?.operations.delete;
    return {
      ...(operation ? flagsOfQuery(operation) : {}),
      yes: {
        type: "boolean",
        short: "y",
        description: "does not ask; needed where nobody can answer",
      },
    };
  },
  examples: [
    "vmx delete key app",
    "vmx delete connection main --detach --yes",
    "vmx delete workspace trial -y",
  ],
  remote: true,
  async run(input) {
    const [word, ...names] = input.positionals;
    const entity = requireEntity(word, "delete");
    const operation = requireOperation(entity, "delete");
    const operands = operandsOf(entity, operation);
    if (operands.length > 0 && names.length === 0) throw new UsageError(`Name the ${entity.name}`);
    const groups = operands.length === 1 ? names.map((name) => [name]) : [names];
    await confirm(input, entity, names);
    const vmx = await input.vmx();
    for (const group of groups) {
      const path = await pathFor(input, entity, operation, group);
      const query = readQuery(input, operation);
      await callOperation(vmx, { operation, path, query }).catch(async (error: unknown) => {
        throw await withSuggestion(input, entity, group, error);
      });
      input.terminal.say(`${[entity.name, ...group].join(" ")} deleted`);
    }
  },
};

async function confirm(
  { flag, terminal }: Input,
  entity: Entity,
  names: readonly string[],
): Promise<void> {
  if (flag("yes")) return;
  const what = [entity.name, ...names].join(" ");
  if (!terminal.interactive) throw new UsageError(`To delete ${what} unasked, add --yes`);
  const answer = await terminal.ask(`Delete ${what}? [y/N] `);
  if (!/^y(es)?$/i.test(answer.trim())) throw new UsageError("Nothing is deleted");
}
