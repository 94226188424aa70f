import { randomBytes } from "node:crypto";
import { createTokenValue, hashSecret } from "../access/token-format.ts";
import { change } from "../store/change.ts";
import {
  PersonalAccessToken,
  Role,
  RoleAssignment,
  Session,
  User,
  WorkspaceMember,
} from "../store/entities/index.ts";
import type { PolicyView, UserView } from "../store/snapshot.ts";
import type { Answer, TestManagement } from "./testing.ts";

/** Somebody with a personal access token. */
export interface TestPerson {
  readonly userId: string;
  readonly username: string;
  readonly tokenId: string;
  readonly token: string;
  call(method: string, path: string, body?: unknown, headers?: HeadersInit): Promise<Answer>;
}

/** Whom to create, beside a name. */
export interface PersonOptions {
  /** Names of roles that exist. */
  readonly roles?: readonly string[];
  /** A policy of their own; it becomes a role of their name. */
  readonly policy?: PolicyView;
  /** Memberships by workspace id. */
  readonly memberships?: Readonly<Record<string, "OWNER" | "MEMBER">>;
  readonly state?: UserView["state"];
  readonly tokenPolicy?: PolicyView;
  readonly tokenExpiresAt?: Date;
}

let people = 0;

/** Creates somebody straight in the database, without the second a password costs. */
export async function createPerson(
  plane: TestManagement,
  options: PersonOptions = {},
): Promise<TestPerson> {
  const userId = crypto.randomUUID();
  const tokenId = crypto.randomUUID();
  const username = `person${++people}`;
  const token = createTokenValue();
  await change(plane.database, { userId: null, via: "api" }, async ({ em }) => {
    em.create(User, {
      userId,
      username,
      email: `${username}@example.com`,
      name: username,
      firstName: "Person",
      lastName: String(people),
      state: options.state ?? "ACTIVE",
      // Only the first run makes users whom nobody made; the admin token must not be mistaken for another.
      providerType: "OIDC",
      providerIssuer: "https://people.example",
      providerSubject: userId,
    });
    const roles = await em.find(Role, { name: { $in: [...options.roles ?? []] } });
    const roleIds = roles.map(({ roleId }) => roleId);
    if (options.policy) {
      const roleId = crypto.randomUUID();
      em.create(Role, { roleId, name: username, policy: options.policy });
      roleIds.push(roleId);
    }
    for (const roleId of roleIds) em.create(RoleAssignment, { userId, roleId });
    for (const [workspaceId, role] of Object.entries(options.memberships ?? {})) {
      em.create(WorkspaceMember, { workspaceId, userId, role });
    }
    em.create(PersonalAccessToken, {
      tokenId,
      userId,
      name: "test",
      hash: token.hash,
      prefix: token.prefix,
      maskedToken: token.masked,
      expiresAt: options.tokenExpiresAt ?? null,
      policy: options.tokenPolicy ?? null,
    });
  });
  await plane.loader.refresh();
  return {
    userId,
    username,
    tokenId,
    token: token.value,
    call(method, path, body, headers) {
      const all = new Headers(headers);
      all.set("authorization", `Bearer ${token.value}`);
      return plane.send(method, path, body, all);
    },
  };
}

/** A session of somebody, as their browser holds it. */
export interface TestSession {
  /** The header `cookie`. */
  readonly cookie: string;
  readonly csrfToken: string;
}

/** Starts a session straight in the database, of people who have no password. */
export async function createSession(
  plane: TestManagement,
  userId: string,
  lastSeenAt = new Date(),
): Promise<TestSession> {
  const id = randomBytes(32).toString("base64url");
  const csrfToken = randomBytes(32).toString("base64url");
  const em = plane.database.em();
  // One whose time is over would be deleted sooner or later.
  const expiresAt = new Date(Date.now() + 3_600_000);
  em.create(Session, { sessionHash: hashSecret(id), userId, csrfToken, lastSeenAt, expiresAt });
  await em.flush();
  return { cookie: `vmx_session=${id}`, csrfToken };
}
