import { callOperation, pathFor, requireEntity, requireOperation } from "../call.ts";
import { type Command, UsageError } from "../command.ts";
import { findEntity } from "../entities.ts";
import { flagsOfBody, readBody } from "../object-body.ts";
import { checkSecrets } from "../visible-secrets.ts";
import { tell } from "./create.ts";
import { readOne, withSuggestion } from "./get.ts";

/** `vmx update`: changes an object. */
export const update: Command = {
  name: "update",
  summary: "changes an object: what is not named stays as it is",
  operands: "ENTITY [NAME]",
  details: [
    "The value null clears a field: --description null. Objects merge, lists are replaced. With --if-match the " +
    "change is refused when somebody else was quicker.",
  ],
  flagsFor: ([word]) => {
    const operation = word === undefined ? undefined : findEntity(word)?.operations.update;
    return {
      ...(operation ? flagsOfBody(operation) : {}),
      "if-match": {
        type: "string",
        value: "VERSION",
        description: "changes the object only if it is still of this version",
      },
    };
  },
  examples: [
    "vmx update resource chat --description 'for the app'",
    "vmx update connection main --set config.organization=acme",
    "vmx update key app --no-enabled",
    "vmx update resource chat -f routing.yaml --if-match 3",
  ],
  remote: true,
  async run(input) {
    const [word, ...operands] = input.positionals;
    const entity = requireEntity(word, "update");
    const operation = requireOperation(entity, "update");
    const given = await readBody(input, operation);
    if (Object.keys(given.body).length === 0) {
      throw new UsageError("Say what to change, such as --description TEXT or --set FIELD=VALUE");
    }
    const path = await pathFor(input, entity, operation, operands);
    if (given.visible.some((member) => member.startsWith("config."))) {
      const present = await readOne(input, entity, operands);
      await checkSecrets(input, given, given.body["provider"] ?? present["provider"]);
    }
    const version = input.text("if-match");
    if (version !== undefined && !/^"?\d+"?$/.test(version)) {
      throw new UsageError(`--if-match takes a version, such as 3, not "${version}"`);
    }
    const ifMatch = version === undefined ? undefined : Number(version.replaceAll('"', ""));
    const row = await callOperation(
      await input.vmx(),
      { operation, path, body: given.body },
      { ifMatch },
    ).catch(async (error: unknown) => {
      throw await withSuggestion(input, entity, operands, error);
    });
    tell(input, entity, row, "changed");
  },
};
