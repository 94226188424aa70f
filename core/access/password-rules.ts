import { type Fault, GatewayError } from "../contract/errors.ts";

/** Whose password it is. */
export interface PasswordOwner {
  readonly username: string;
  readonly email: string;
}

/**
 * Checks a new password: 12 to 128 characters, neither the username nor the email, not a common one.
 *
 * Throws `PASSWORD_TOO_WEAK` naming every broken rule; `path` is the JSON pointer of the password.
 */
export async function checkPassword(
  password: string,
  owner: PasswordOwner,
  path: string,
): Promise<void> {
  const broken = await brokenPasswordRules(password, owner);
  if (broken.length === 0) return;
  const faults: Fault[] = broken.map((message) => ({ path, code: "PASSWORD_TOO_WEAK", message }));
  throw new GatewayError("PASSWORD_TOO_WEAK", `Cannot set the password: it ${broken.join(", ")}`, {
    faults,
  });
}

/** The rules a password breaks, as phrases that follow "it". */
export async function brokenPasswordRules(
  password: string,
  owner: PasswordOwner,
): Promise<string[]> {
  const broken: string[] = [];
  const characters = [...password].length;
  const lower = password.toLowerCase();
  if (characters < 12) broken.push("must have at least 12 characters");
  if (characters > 128) broken.push("must have at most 128 characters");
  if (lower === owner.username.toLowerCase()) broken.push("must not be the username");
  if (lower === owner.email.toLowerCase()) broken.push("must not be the email");
  if ((await commonPasswords()).has(lower)) broken.push("must not be a common password");
  return broken;
}

let common: Promise<ReadonlySet<string>> | undefined;

/** The ranked list of the zxcvbn-ts project, read when the first password is set. */
function commonPasswords(): Promise<ReadonlySet<string>> {
  common ??= import("@zxcvbn-ts/language-common").then(({ dictionary }) =>
    new Set(dictionary["passwords-common"].map(String))
  );
  return common;
}
