import { type Answer, ApiCall } from "../call.ts";
import { ConflictError } from "../errors.ts";

/** The calls `upsert` is made of. */
export interface UpsertParts<Entity, Created extends Entity> {
  /** Asks for the objects of that name, of which there is at most one. */
  readonly list: () => PromiseLike<{ readonly data: readonly Entity[] }>;
  readonly create: () => ApiCall<Created>;
  readonly update: (existing: Entity) => ApiCall<Entity>;
}

/** Creates an object, or changes the one that has its name. */
export function upsert<Entity, Created extends Entity>(
  parts: UpsertParts<Entity, Created>,
): ApiCall<Entity | Created> {
  return new ApiCall(run(parts));
}

async function run<Entity, Created extends Entity>(
  { list, create, update }: UpsertParts<Entity, Created>,
): Promise<Answer<Entity | Created>> {
  const [existing] = (await list()).data;
  if (existing) return await update(existing).withResponse();
  try {
    return await create().withResponse();
  } catch (error) {
    if (!(error instanceof ConflictError)) throw error;
    // Somebody else was quicker; any other conflict shows again.
    const [created] = (await list()).data;
    if (!created) throw error;
    return await update(created).withResponse();
  }
}
