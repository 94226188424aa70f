import type { EntityManager } from "@mikro-orm/postgresql";
import { raw } from "@mikro-orm/core";
import { GatewayError } from "../../contract/errors.ts";
import type { FederatedIdentity } from "../../contract/index.ts";
import { hashSecret } from "../../access/token-format.ts";
import type { Change } from "../../store/change.ts";
import { Role, RoleAssignment, User } from "../../store/entities/index.ts";
import { commit } from "../commit.ts";
import { diff } from "../merge-patch.ts";
import type { RouteContext } from "../route.ts";
import { activityOf, described, presentUsers } from "../user-rows.ts";
import { keepAdministrator } from "../user-rules.ts";
import { claimTexts, type FederatedPerson, readPerson } from "./claims.ts";
import type { FederationSettings } from "./federation.ts";

/**
 * The user an identity stands for, found by issuer and subject, linked by a verified email where that is allowed, or
 * created. Mapped roles become what the claims say; all other roles stay. Every change is in the activity trail.
 *
 * Throws `USER_INACTIVE`, `OIDC_EMAIL_NOT_AVAILABLE`, `OIDC_EMAIL_MISMATCH` or `DATABASE_UNAVAILABLE`.
 */
export async function signInFederated(
  context: Pick<RouteContext, "services" | "actor">,
  identity: FederatedIdentity,
  settings: FederationSettings,
): Promise<User> {
  const { services } = context;
  const actor = { ...context.actor, via: "console" as const };
  return await commit({ services, actor }, async (change) => {
    const { em, record } = change;
    const found = await find(em, identity, settings);
    const user = found?.row ?? await create(em, readPerson(identity), settings, services);
    if (user.state === "INACTIVE") {
      throw new GatewayError("USER_INACTIVE", "The user is inactive: ask an administrator", {
        details: { userId: user.userId },
      });
    }
    const before = found ? (await presentUsers(em, [user]))[0]! : undefined;
    if (found?.isLinked) {
      user.providerIssuer = identity.issuer;
      user.providerSubject = identity.subject;
      user.emailVerified = true;
      record(activityOf("user:link", user));
    }
    user.lastLoginAt = change.at;
    await em.flush();
    await mapRoles(change, user, identity, settings, services);
    const after = (await presentUsers(em, [user]))[0]!;
    const steps = diff(before ? described(before) : {}, described(after));
    if (!before) record({ ...activityOf("user:create", user), diff: steps });
    else if (steps.length > 0) record({ ...activityOf("user:update", user), diff: steps });
    return user;
  });
}

interface Found {
  readonly row: User;
  /** The login is to be linked to a user who did not have it. */
  readonly isLinked: boolean;
}

async function find(
  em: EntityManager,
  identity: FederatedIdentity,
  { linkByEmail }: FederationSettings,
): Promise<Found | undefined> {
  const { issuer, subject } = identity;
  const known = await em.findOne(User, { providerIssuer: issuer, providerSubject: subject });
  if (known) return { row: known, isLinked: false };
  const { email, emailVerified } = readPerson(identity);
  if (email === undefined) {
    throw new GatewayError(
      "OIDC_EMAIL_NOT_AVAILABLE",
      "Cannot sign in: the identity provider sent no email",
    );
  }
  // A username may look like an email, and a login takes either.
  const owners = await em.find(User, {
    $or: [
      { [raw((alias) => `lower(${alias}.email)`)]: email.toLowerCase() },
      { [raw((alias) => `lower(${alias}.username)`)]: email.toLowerCase() },
    ],
  });
  const [owner] = owners;
  if (owner) {
    const isTheirs = owners.length === 1 && owner.email.toLowerCase() === email.toLowerCase() &&
      owner.providerSubject === null;
    if (linkByEmail && emailVerified && isTheirs) return { row: owner, isLinked: true };
    throw new GatewayError(
      "OIDC_EMAIL_MISMATCH",
      "Cannot sign in: the email belongs to another user of the gateway",
    );
  }
  if (emailVerified) return undefined;
  throw new GatewayError(
    "OIDC_EMAIL_NOT_AVAILABLE",
    "Cannot sign in: the identity provider has not verified the email",
  );
}

async function create(
  em: EntityManager,
  person: FederatedPerson,
  { defaultRole }: FederationSettings,
  { log }: RouteContext["services"],
): Promise<User> {
  const userId = crypto.randomUUID();
  const email = person.email!;
  const user = em.create(User, {
    userId,
    // What the provider calls the person is not taken: a name alone must not look like somebody else's.
    username: /^[A-Za-z0-9._@+-]{1,64}$/.test(email)
      ? email
      : `oidc-${hashSecret(`${person.issuer}\n${person.subject}`).slice(0, 16)}`,
    email,
    emailVerified: true,
    name: person.name,
    firstName: person.firstName,
    lastName: person.lastName,
    pictureUrl: person.pictureUrl,
    state: "ACTIVE",
    providerType: "OIDC",
    providerIssuer: person.issuer,
    providerSubject: person.subject,
  });
  const [role] = await rolesNamed(em, [defaultRole]);
  if (role) em.create(RoleAssignment, { userId, roleId: role.roleId });
  else log.warn(`The role "${defaultRole}" for new federated users does not exist`);
  return user;
}

/** Makes the mapped roles of a user what the claims say. */
async function mapRoles(
  { em }: Change,
  { userId, username }: User,
  { claims }: FederatedIdentity,
  { roleClaim, roleMap }: FederationSettings,
  { log }: RouteContext["services"],
): Promise<void> {
  if (roleClaim === undefined || roleMap.length === 0) return;
  const values = new Set(claimTexts(claims, roleClaim));
  const nameOf = (role: string) => role.toLowerCase();
  const wanted = new Set(
    roleMap.filter(({ value }) => values.has(value)).map(({ role }) => nameOf(role)),
  );
  const mapped = await rolesNamed(em, roleMap.map(({ role }) => role));
  const missing = roleMap.filter(({ role }) =>
    !mapped.some(({ name }) => nameOf(name) === nameOf(role))
  );
  for (const { role } of missing) log.warn(`The mapped role "${role}" does not exist`);
  const held = await em.find(RoleAssignment, {
    userId,
    roleId: { $in: mapped.map(({ roleId }) => roleId) },
  });
  for (const { roleId, name } of mapped) {
    const has = held.some((link) => link.roleId === roleId);
    if (wanted.has(nameOf(name)) && !has) em.create(RoleAssignment, { userId, roleId });
  }
  await em.flush();
  const surplus = mapped.filter(({ name }) => !wanted.has(nameOf(name)));
  for (const { roleId, name } of surplus) {
    const link = held.find((each) => each.roleId === roleId);
    if (!link) continue;
    try {
      await keepAdministrator(em, async () => void em.remove(link));
    } catch (error) {
      if (!(error instanceof GatewayError) || error.code !== "LAST_ADMIN") throw error;
      log.warn(`User "${username}" keeps role "${name}": nobody else may do everything`);
      em.create(RoleAssignment, { userId, roleId, assignedBy: link.assignedBy });
      await em.flush();
    }
  }
}

async function rolesNamed(em: EntityManager, names: readonly string[]): Promise<Role[]> {
  return await em.find(Role, {
    [raw((alias) => `lower(${alias}.name)`)]: { $in: names.map((name) => name.toLowerCase()) },
  });
}
