import {
  ChangeSetType,
  type EventSubscriber,
  type FlushEventArgs,
  LockMode,
} from "@mikro-orm/core";
import type { EntityManager } from "@mikro-orm/postgresql";
import type { Database } from "./database.ts";
import {
  ActivityEntry,
  type ActivityOrigin,
  configurationEntities,
  observedFields,
  Revision,
  Tombstone,
} from "./entities/index.ts";

/** Who changes the configuration. */
export interface Actor {
  /** Null for the bootstrap. */
  readonly userId: string | null;
  readonly tokenId?: string | undefined;
  readonly via: ActivityOrigin;
  readonly requestId?: string | undefined;
  readonly sourceIp?: string | undefined;
}

/** One line for the activity trail. */
export interface Activity {
  /** Such as `ai-connection:update`. */
  readonly action: string;
  readonly entity: { readonly type: string; readonly id: string; readonly name: string };
  readonly workspaceId?: string | undefined;
  readonly environmentId?: string | undefined;
  /** JSON patch; secrets must be masked already. */
  readonly diff?: readonly unknown[] | undefined;
}

/** A running configuration transaction. */
export interface Change {
  /**
   * Unit of work of the transaction. Load, `create`, `assign` and `remove` entities through it: `nativeUpdate`
   * and `nativeDelete` pass by the revision and would stay unseen.
   */
  readonly em: EntityManager;
  /** The revision this change commits as. */
  readonly revision: number;
  readonly at: Date;
  /** Writes a line of the activity trail in the same transaction. */
  record(activity: Activity): void;
}

/** What a change led to. */
export interface Changed<Result> {
  readonly result: Result;
  /** The new revision, or the present one when nothing was changed. */
  readonly revision: number;
}

interface RunningChange {
  readonly revision: number;
  readonly at: Date;
  readonly actor: Actor;
  readonly stamped: WeakSet<object>;
  touched: boolean;
}

const running = new WeakMap<object, RunningChange>();
const configurationNames: ReadonlySet<string> = new Set(
  configurationEntities.map((entity) => entity.meta.className),
);

/**
 * Runs one configuration transaction. The revision row is locked first, so changes run one after the other
 * and their revisions become visible in order. Every touched row gets the new revision and its next version,
 * every removed one a tombstone.
 *
 * @throws GatewayError `DATABASE_UNAVAILABLE`, and whatever `fn` throws; nothing is written then
 */
export function change<Result>(
  database: Database,
  actor: Actor,
  fn: (change: Change) => Promise<Result>,
): Promise<Changed<Result>> {
  return database.transaction(async (em) => {
    const counter = await em.findOneOrFail(Revision, 1, { lockMode: LockMode.PESSIMISTIC_WRITE });
    const at = new Date();
    const revision = counter.revision + 1;
    const state: RunningChange = { revision, at, actor, stamped: new WeakSet(), touched: false };
    running.set(em, state);
    const result = await fn({
      em,
      revision,
      at,
      record: (activity) => void em.persist(em.create(ActivityEntry, line(activity, state))),
    });
    await em.flush();
    if (!state.touched) return { result, revision: counter.revision };
    counter.revision = revision;
    await em.flush();
    return { result, revision };
  });
}

/** Stamps what a flush is about to write. Registered with the ORM by `openDatabase`. */
export const stampChanges: EventSubscriber = {
  onFlush({ em, uow }: FlushEventArgs): void {
    const state = running.get(em);
    for (const set of uow.getChangeSets()) {
      if (!configurationNames.has(set.meta.className)) continue;
      const entity = set.entity as Record<string, unknown>;
      const isUpdate = set.type === ChangeSetType.UPDATE;
      if (isUpdate && Object.keys(set.payload).every((field) => observedFields.has(field))) {
        continue;
      }
      if (!state) {
        throw new Error(`Cannot write ${set.meta.className}: it is configuration, use change()`);
      }
      state.touched = true;
      if (set.type === ChangeSetType.DELETE || set.type === ChangeSetType.DELETE_EARLY) {
        const tombstone = em.create(Tombstone, {
          revision: state.revision,
          entityType: set.meta.className,
          entityId: set.meta.primaryKeys.map((key) => entity[key]).join(":"),
          at: state.at,
        });
        uow.computeChangeSet(tombstone);
        continue;
      }
      if (state.stamped.has(entity)) continue;
      state.stamped.add(entity);
      stamp(entity, state, isUpdate, "createdAt" in set.meta.properties);
      uow.recomputeSingleChangeSet(entity);
    }
  },
};

function stamp(
  entity: Record<string, unknown>,
  state: RunningChange,
  isUpdate: boolean,
  isTracked: boolean,
): void {
  entity.version = isUpdate ? (entity.version as number) + 1 : 1;
  entity.revision = state.revision;
  if (!isTracked) return;
  entity.updatedAt = state.at;
  entity.updatedBy = state.actor.userId;
  if (isUpdate) return;
  entity.createdAt = state.at;
  entity.createdBy = state.actor.userId;
}

function line(activity: Activity, { revision, at, actor }: RunningChange) {
  return {
    revision,
    at,
    actorUserId: actor.userId,
    actorTokenId: actor.tokenId ?? null,
    via: actor.via,
    action: activity.action,
    entityType: activity.entity.type,
    entityId: activity.entity.id,
    entityName: activity.entity.name,
    workspaceId: activity.workspaceId ?? null,
    environmentId: activity.environmentId ?? null,
    diff: [...activity.diff ?? []],
    requestId: actor.requestId ?? null,
    sourceIp: actor.sourceIp ?? null,
  };
}
