import type { EntityManager } from "@mikro-orm/postgresql";
import type { UserSummary } from "@vmx/schemas";
import { User } from "../store/entities/index.ts";

/** The columns every configuration row has. */
export interface TrackedRow {
  readonly version: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly createdBy: string | null;
  readonly updatedBy: string | null;
  readonly managedBy: string | null;
}

/** The members of an answer that every configuration object has. */
export function trackedMembers(row: TrackedRow) {
  return {
    version: row.version,
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
    createdBy: row.createdBy,
    updatedBy: row.updatedBy,
    managedBy: row.managedBy,
  };
}

/** A moment as answers show it. */
export function timestamp(date: Date | null | undefined): string | null {
  return date ? date.toISOString() : null;
}

/** The short form of a user. */
export function summaryOf(user: User): UserSummary {
  const { userId, name, email, pictureUrl } = user;
  return { userId, name, email, pictureUrl };
}

/** Adds `createdByUser` and `updatedByUser` when the caller asked for them. */
export async function addUsers<
  Answer extends { readonly createdBy: string | null; readonly updatedBy: string | null },
>(
  em: EntityManager,
  answers: readonly Answer[],
  wanted: boolean | undefined,
): Promise<
  (Answer & { createdByUser?: UserSummary | null; updatedByUser?: UserSummary | null })[]
> {
  if (!wanted) return [...answers];
  const ids = new Set(answers.flatMap(({ createdBy, updatedBy }) => [createdBy, updatedBy]));
  ids.delete(null);
  const users = await em.find(User, { userId: { $in: [...ids] as string[] } });
  const summaries = new Map(users.map((user) => [user.userId, summaryOf(user)]));
  const summary = (id: string | null) => id === null ? null : summaries.get(id) ?? null;
  return answers.map((answer) => ({
    ...answer,
    createdByUser: summary(answer.createdBy),
    updatedByUser: summary(answer.updatedBy),
  }));
}
