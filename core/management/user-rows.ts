import { raw } from "@mikro-orm/core";
import { GatewayError } from "../contract/errors.ts";
import { RoleAssignment, User } from "../store/entities/index.ts";
import { isUuid } from "./field.ts";
import { timestamp, trackedMembers } from "./present.ts";
import type { Item, RouteContext } from "./route.ts";
import type { HandlerServices } from "./services.ts";

type Em = ReturnType<HandlerServices["database"]["em"]>;

/** Users as answers show them. */
export async function presentUsers(em: Em, rows: readonly User[]) {
  const links = await em.find(RoleAssignment, {
    userId: { $in: rows.map(({ userId }) => userId) },
  }, { orderBy: { assignedAt: "asc", roleId: "asc" } });
  return rows.map((row) => ({
    userId: row.userId,
    username: row.username,
    email: row.email,
    name: row.name,
    firstName: row.firstName,
    lastName: row.lastName,
    emailVerified: row.emailVerified,
    pictureUrl: row.pictureUrl,
    state: row.state,
    providerType: row.providerType,
    providerIssuer: row.providerIssuer,
    providerSubject: row.providerSubject,
    lastLoginAt: timestamp(row.lastLoginAt),
    roleIds: links.filter(({ userId }) => userId === row.userId).map(({ roleId }) => roleId),
    ...trackedMembers(row),
  }));
}

/** Sets the names; a full name that was made of the parts follows them. */
export function rename(
  row: User,
  { firstName, lastName, name }: {
    readonly firstName?: string | undefined;
    readonly lastName?: string | undefined;
    readonly name?: string | null | undefined;
  },
): void {
  const derived = row.name === fullName(row);
  if (firstName !== undefined) row.firstName = firstName.trim();
  if (lastName !== undefined) row.lastName = lastName.trim();
  if (name) row.name = name.trim();
  else if (name === null || derived) row.name = fullName(row);
}

/** First and last name together. */
export function fullName({ firstName, lastName }: { firstName: string; lastName: string }): string {
  return `${firstName} ${lastName}`.trim();
}

/** Throws a conflict when the username or email is taken; the user `except` may keep their own. */
export async function refuseTakenNames(
  em: Em,
  { username, email }: {
    readonly username?: string | undefined;
    readonly email?: string | undefined;
  },
  except?: string,
): Promise<void> {
  // A login takes either, so a username must not be somebody else's email, nor the other way round.
  const taken = async (value: string) => {
    const rows = await em.find(User, {
      $or: [
        { [raw((alias) => `lower(${alias}.username)`)]: value.toLowerCase() },
        { [raw((alias) => `lower(${alias}.email)`)]: value.toLowerCase() },
      ],
    }, { fields: ["userId"] });
    return rows.some(({ userId }) => userId !== except);
  };
  if (username !== undefined && await taken(username)) {
    throw new GatewayError(
      "USER_USERNAME_IN_USE",
      `Cannot use the username "${username}": it is taken`,
    );
  }
  if (email !== undefined && await taken(email)) {
    throw new GatewayError("USER_EMAIL_IN_USE", `Cannot use the email "${email}": it is taken`);
  }
}

/** Finds the object of a path for authorisation. Throws its `..._NOT_FOUND`. */
export async function findItem(
  { params, services }: RouteContext,
): Promise<Item & { readonly row: User }> {
  const row = await findRow(services.database.em(), params.userId);
  return { name: row.email, id: row.userId, row };
}

/** Reads a user by id. Throws `USER_NOT_FOUND`. */
export async function findRow(em: Em, userId: string | undefined): Promise<User> {
  const row = isUuid(userId) ? await em.findOne(User, { userId }) : null;
  if (row) return row;
  throw new GatewayError("USER_NOT_FOUND", "The user in the path does not exist");
}

/** The members the activity trail compares. */
export function described(answer: Awaited<ReturnType<typeof presentUsers>>[number]) {
  const { username, email, name, firstName, lastName, pictureUrl, state, roleIds } = answer;
  return { username, email, name, firstName, lastName, pictureUrl, state, roleIds };
}

/** The line of the activity trail without its differences. */
export function activityOf(action: string, row: User) {
  return { action, entity: { type: "user", id: row.userId, name: row.username } };
}
