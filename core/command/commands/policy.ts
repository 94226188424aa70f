import { type BodyOf } from "@vmx/sdk";
import { type Command, UsageError } from "../command.ts";
import { exitCodes } from "../exit-codes.ts";
import { readObjectFile } from "../object-body.ts";
import { writeList, writeOne } from "../output.ts";

/** `vmx policy simulate`. */
export const policySimulate: Command = {
  name: "policy simulate",
  summary:
    "tells whether a user or a draft of a policy may do something, and which statement decides",
  operands: "ACTION RESOURCE",
  details: ["The exit code is 0 when it is allowed and 1 when it is not."],
  flags: {
    user: { type: "string", short: "u", value: "NAME", description: "username, email or id" },
    file: {
      type: "string",
      short: "f",
      value: "FILE",
      description: "policy to try; - is standard input",
    },
  },
  examples: [
    "vmx policy simulate ai-connection:update workspace:default:environment:default:ai-connection:local --user ana",
    "vmx policy simulate user:list user -f draft.yaml",
  ],
  remote: true,
  async run(input) {
    const [action, resource] = input.positionals;
    const user = input.text("user");
    const file = input.text("file");
    if (action === undefined || resource === undefined) {
      throw new UsageError("Name an action and a resource: vmx policy simulate ACTION RESOURCE");
    }
    if ((user === undefined) === (file === undefined)) {
      throw new UsageError("Say whose rights are meant: --user NAME, or --file FILE with a policy");
    }
    const policy = await readObjectFile(input, file);
    const answer = await (await input.vmx()).roles.simulate({
      action,
      resource,
      ...(user === undefined ? {} : { userId: user }),
      // The gateway checks the policy, and names what is wrong in it.
      ...(policy ? { policy: policy as BodyOf<"simulatePolicy">["policy"] & object } : {}),
    });
    const { terminal, format } = input;
    if (format === "table" || format === "wide") {
      terminal.out(`${answer.allowed ? "allowed" : "denied"}\n`);
      const rows = answer.statements.map((each) => ({ ...each }));
      if (rows.length > 0) terminal.out(`\n${writeList(rows, format, terminal)}`);
    } else terminal.out(writeOne(answer, format));
    return answer.allowed ? exitCodes.ok : exitCodes.failed;
  },
};
