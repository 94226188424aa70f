import { raw } from "@mikro-orm/core";
import { GatewayError } from "../contract/errors.ts";
import type { Database } from "../store/database.ts";
import { databaseError } from "../store/database-error.ts";
import { User } from "../store/entities/index.ts";
import type { LoginThrottle } from "./login-throttle.ts";
import type { Passwords } from "./password.ts";

/** What a login stands on. */
export interface LoginServices {
  readonly database: Database;
  readonly passwords: Passwords;
  readonly throttle: LoginThrottle;
  /** The user id behind a username or email in lower case, as far as it is known without asking the database. */
  readonly accountOf?: (account: string) => string | undefined;
  /** Whether the user may sign in with a password; one who may not is answered like a wrong password. */
  readonly mayLogIn?: (user: User) => boolean;
  /** Told of failures and locks, for the activity trail. */
  readonly onFailure: (failure: LoginFailure) => void;
}

/** A login that was refused. */
export interface LoginFailure {
  readonly action: "auth:login-failed" | "auth:login-locked";
  readonly account: string;
  readonly userId: string | undefined;
  readonly address: string;
}

/**
 * Checks username or email and password and answers the user. A wrong user and a wrong password look and take
 * the same.
 *
 * Throws `INVALID_CREDENTIALS`, `USER_INACTIVE`, `TOO_MANY_REQUESTS` or `DATABASE_UNAVAILABLE`.
 */
export async function checkLogin(
  { username, password, address }: {
    readonly username: string;
    readonly password: string;
    readonly address: string;
  },
  services: LoginServices,
): Promise<User> {
  const { database, passwords, throttle, onFailure } = services;
  const account = username.trim().toLowerCase();
  const { waitSeconds, locks, succeed, withdraw } = await throttle.begin(
    // One account has two names to sign in with, and one limit.
    services.accountOf?.(account) ?? account,
    address,
  );
  if (waitSeconds > 0) {
    throw new GatewayError(
      "TOO_MANY_REQUESTS",
      `Too many failed logins: wait ${waitSeconds} seconds`,
      { retryAfterSeconds: waitSeconds },
    );
  }
  const em = database.em();
  let user: User | null;
  let matches: boolean;
  try {
    user = await em.findOne(User, {
      $or: [
        { [raw((alias) => `lower(${alias}.username)`)]: account },
        { [raw((alias) => `lower(${alias}.email)`)]: account },
      ],
    });
    matches = await passwords.verify(user?.passwordHash, password);
  } catch (error) {
    // With the database away nobody shall be locked out for having tried.
    await withdraw();
    throw databaseError(error);
  }
  if (!user || !matches || services.mayLogIn?.(user) === false) {
    const action = locks ? "auth:login-locked" : "auth:login-failed";
    onFailure({ action, account, userId: user?.userId, address });
    throw new GatewayError("INVALID_CREDENTIALS", "Username or password is wrong");
  }
  await succeed();
  if (user.state === "INACTIVE") {
    throw new GatewayError("USER_INACTIVE", "The user is inactive: ask an administrator");
  }
  return user;
}
