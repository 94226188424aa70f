import { type Command, UsageError } from "../command.ts";
import { unknownContext } from "../connect.ts";
import { readContexts, saveContext, writeContexts } from "../contexts.ts";
import { writeList } from "../output.ts";

/** `vmx context list`. */
export const contextList: Command = {
  name: "context list",
  summary: "lists the gateways that were signed in to",
  examples: ["vmx context list"],
  async run({ environment, format, terminal }) {
    const { current, contexts } = await readContexts(environment);
    const rows = Object.entries(contexts).map(([name, { token, ...rest }]) => ({
      name,
      current: name === current,
      ...rest,
      signedIn: token !== undefined,
    }));
    if (rows.length === 0) terminal.say("There is no context yet. Make one: vmx login");
    terminal.out(writeList(rows, format, terminal));
  },
};

/** `vmx context use`. */
export const contextUse: Command = {
  name: "context use",
  summary: "makes a context the current one",
  operands: "NAME",
  examples: ["vmx context use prod"],
  async run({ environment, positionals: [name], terminal }) {
    if (name === undefined) throw new UsageError("Name the context: vmx context use NAME");
    const contexts = await readContexts(environment);
    if (!Object.hasOwn(contexts.contexts, name)) throw unknownContext(name, contexts);
    await writeContexts(environment, { ...contexts, current: name });
    terminal.say(`Context "${name}" is the current one.`);
  },
};

/** `vmx context set`. */
export const contextSet: Command = {
  name: "context set",
  summary: "makes or changes a context: address, workspace, environment",
  operands: "NAME",
  flags: {
    "base-url": { type: "string", value: "URL", description: "address of the gateway" },
    workspace: { type: "string", short: "w", value: "NAME", description: "workspace" },
    environment: { type: "string", short: "e", value: "NAME", description: "environment" },
  },
  examples: ["vmx context set prod --workspace team --environment production"],
  async run({ environment, positionals: [name], text, terminal }) {
    if (name === undefined) throw new UsageError("Name the context: vmx context set NAME");
    const { contexts } = await readContexts(environment);
    const present = Object.hasOwn(contexts, name) ? contexts[name] : undefined;
    const baseUrl = text("base-url") ?? present?.baseUrl;
    if (baseUrl === undefined) throw new UsageError("A new context needs --base-url URL");
    if (!/^https?:\/\//.test(baseUrl) || !URL.canParse(baseUrl)) {
      throw new UsageError(`--base-url must be an http or https address, not "${baseUrl}"`);
    }
    // A token belongs to the gateway that made it.
    const moved = present !== undefined &&
      new URL(baseUrl).origin !== new URL(present.baseUrl).origin;
    const { token, ...kept } = present ?? {};
    const workspace = text("workspace") ?? present?.workspace;
    const inside = text("environment") ?? present?.environment;
    await saveContext(environment, name, {
      ...kept,
      ...(token === undefined || moved ? {} : { token }),
      baseUrl,
      ...(workspace === undefined ? {} : { workspace }),
      ...(inside === undefined ? {} : { environment: inside }),
    });
    terminal.say(`Context "${name}" is set, and the current one.`);
  },
};

/** `vmx context delete`. */
export const contextDelete: Command = {
  name: "context delete",
  summary: "forgets a context and its token; vmx logout ends the token as well",
  operands: "NAME",
  examples: ["vmx context delete trial"],
  async run({ environment, positionals: [name], terminal }) {
    if (name === undefined) throw new UsageError("Name the context: vmx context delete NAME");
    const contexts = await readContexts(environment);
    if (!Object.hasOwn(contexts.contexts, name)) throw unknownContext(name, contexts);
    const { [name]: _forgotten, ...others } = contexts.contexts;
    const { current } = contexts;
    await writeContexts(environment, {
      ...(current === undefined || current === name ? {} : { current }),
      contexts: others,
    });
    terminal.say(`Context "${name}" is forgotten.`);
  },
};
