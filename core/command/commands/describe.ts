import { stringify } from "yaml";
import { requireEntity } from "../call.ts";
import { type Command, type Input, UsageError } from "../command.ts";
import { type Entity, findEntity } from "../entities.ts";
import { type Row, writeOne } from "../output.ts";
import { tableOf } from "../table.ts";
import { readOne } from "./get.ts";

/** `vmx describe`: everything about one object. */
export const describe: Command = {
  name: "describe",
  summary: "tells everything about one object, and what changed in it lately",
  operands: "ENTITY NAME",
  examples: ["vmx describe connection local", "vmx describe resource chat", "vmx describe system"],
  remote: true,
  async run(input) {
    const [word, ...operands] = input.positionals;
    const entity = requireEntity(word, "get");
    if (entity.parameter !== undefined && operands.length === 0) {
      throw new UsageError(`Name one ${entity.name}: vmx describe ${entity.name} NAME`);
    }
    const row = await readOne(input, entity, operands);
    const { format, terminal } = input;
    if (format !== "table" && format !== "wide") return terminal.out(writeOne(row, format));
    terminal.out(stringify(row));
    const changes = await recentChanges(input, entity, row);
    if (changes.length > 0) terminal.out(`\nLatest changes\n${tableOf(changes, false)}`);
  },
};

/** The newest entries about an object; none where the caller may not see them. */
async function recentChanges(input: Input, entity: Entity, row: Row): Promise<Row[]> {
  const id = entity.parameter === undefined ? undefined : row[entity.parameter];
  if (typeof id !== "string" || !findEntity("activity")) return [];
  const vmx = await input.vmx();
  const query = { entityId: id, limit: 5 };
  const inEnvironment = typeof row["environmentId"] === "string" && entity.name !== "environment";
  const list = inEnvironment ? vmx.activity.list(query) : vmx.installationActivity.list(query);
  const { data } = await list.then((page) => page, () => ({ data: [] }));
  return data.map(({ at, action, actor, revision }) => ({
    at,
    action,
    by: "name" in actor ? actor.name : actor.userId,
    via: actor.via,
    revision,
  }));
}
