import { hostname } from "node:os";
import { AuthenticationError, type Vmx } from "@vmx/sdk";
import { type Command, CommandError, type Input, UsageError } from "../command.ts";
import { chooseTarget, createClient } from "../connect.ts";
import { readContexts, saveContext, writeContexts } from "../contexts.ts";
import { readSecret, secretFlags } from "../secret-sources.ts";

/** `vmx login`: makes a token and keeps it. */
export const login: Command = {
  name: "login",
  summary: "signs in, and keeps a personal access token in the user's configuration folder",
  operands: "[URL]",
  details: [
    "With username and password it makes a token of its own, which vmx logout ends again; with a token that " +
    "exists it keeps that one. The file of contexts is readable by the user alone.",
  ],
  flags: {
    username: { type: "string", short: "u", value: "NAME", description: "username or email" },
    ...secretFlags("password", "the password"),
    ...secretFlags("new-password", "the new password, where one must be chosen first"),
    ...secretFlags("token", "a token that exists"),
    "expires-in": {
      type: "string",
      value: "DAYS",
      description: "days until the token ends; 90 when absent, 0 for never",
    },
  },
  examples: [
    "vmx login",
    "vmx login https://vmx.example.com --context prod --username ana",
    "vmx login --username admin --password-from-env ADMIN_PASSWORD",
    "vmx login https://vmx.example.com --token-from-stdin < token.txt",
  ],
  remote: true,
  async run(input) {
    const { environment, terminal, positionals, text } = input;
    const target = await chooseTarget({
      environment,
      // A context that is new here is what the login makes.
      text: (name) => name === "context" ? undefined : text(name),
    });
    const baseUrl = (positionals[0] ?? target.baseUrl).replace(/\/+$/, "");
    const token = await readSecret(input, "token") ?? await makeToken(input, baseUrl);
    const { username } = await createClient({ baseUrl, token }).me.get();
    const name = text("context") ?? target.context ?? "default";
    await saveContext(environment, name, {
      baseUrl,
      token,
      workspace: target.workspace,
      environment: target.environment,
    });
    terminal.say(`Signed in to ${baseUrl} as ${username}; context "${name}" is the current one.`);
  },
};

/** `vmx logout`: ends the token. */
export const logout: Command = {
  name: "logout",
  summary: "ends the token of a context on the gateway, and forgets it",
  examples: ["vmx logout", "vmx logout --context prod"],
  remote: true,
  async run({ environment, terminal, text }) {
    const { current, contexts } = await readContexts(environment);
    const name = text("context") ?? current;
    const context = name === undefined ? undefined : contexts[name];
    if (name === undefined || context?.token === undefined) {
      throw new CommandError("Nobody is signed in here", 3);
    }
    const { token, ...rest } = context;
    const ended = await endToken(createClient({ baseUrl: context.baseUrl, token }), token);
    await writeContexts(environment, {
      ...(current === undefined ? {} : { current }),
      contexts: { ...contexts, [name]: rest },
    });
    terminal.say(
      ended
        ? `Signed out of ${context.baseUrl}.`
        : `The token is forgotten. ${context.baseUrl} did not end it: it may be ended already.`,
    );
  },
};

/** Ends the token itself: it is known by how it begins. */
async function endToken(vmx: Vmx, token: string): Promise<boolean> {
  try {
    const { data } = await vmx.me.tokens.list();
    const own = data.find(({ prefix }) => token.startsWith(prefix));
    if (!own) return false;
    await vmx.me.tokens.delete(own.tokenId);
    return true;
  } catch {
    return false;
  }
}

async function makeToken(input: Input, baseUrl: string): Promise<string> {
  const vmx = createClient({ baseUrl, session: true });
  const username = input.text("username") ?? await ask(input, "Username: ", "--username NAME");
  const password = await readSecret(input, "password") ??
    await ask(input, "Password: ", "--password-from-env VARIABLE", true);
  const { passwordChangeRequired } = await vmx.auth.login({ username, password })
    .catch((error: unknown) => {
      // "Try: vmx login" would be a strange thing to say here.
      throw error instanceof AuthenticationError ? new CommandError(error.message, 3) : error;
    });
  if (passwordChangeRequired) await choosePassword(input, vmx, username, password);
  const { token } = await vmx.me.tokens.create({
    name: `vmx on ${hostname()}, ${new Date().toISOString()}`,
    ...expiry(input.text("expires-in") ?? "90"),
  });
  // The token stays; the session was for making it.
  await vmx.auth.logout().catch(() => {});
  return token;
}

/** A new password ends every session but the one it was set in. */
async function choosePassword(
  input: Input,
  vmx: Vmx,
  username: string,
  currentPassword: string,
): Promise<void> {
  input.terminal.say(`${username} must choose a new password first.`);
  const newPassword = await readSecret(input, "new-password") ??
    await ask(input, "New password: ", "--new-password-from-env VARIABLE", true);
  await vmx.auth.changePassword({ currentPassword, newPassword });
  await vmx.auth.login({ username, password: newPassword });
}

async function ask(
  { terminal }: Pick<Input, "terminal">,
  question: string,
  instead: string,
  hidden = false,
): Promise<string> {
  if (!terminal.interactive) throw new UsageError(`Nobody can be asked here: give ${instead}`);
  return await terminal.ask(question, hidden);
}

function expiry(days: string): { expiresAt?: string } {
  if (!/^\d{1,5}$/.test(days)) {
    throw new UsageError(`--expires-in takes a number of days, not "${days}"`);
  }
  if (Number(days) === 0) return {};
  return { expiresAt: new Date(Date.now() + Number(days) * 86_400_000).toISOString() };
}
