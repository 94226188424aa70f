import type { ModelListing, ModelsQuery } from "../contract/dialect.ts";
import type { JsonObject } from "../contract/json.ts";

/** One model, with the members of all SDK families that read models lists (completion-api.md §9). */
export function writeModel(model: ModelListing): JsonObject {
  return {
    id: model.id,
    object: "model",
    created: model.created,
    owned_by: "vmx",
    type: "model",
    display_name: model.id,
    created_at: new Date(model.created * 1000).toISOString(),
    vmx: { description: model.description, provider: model.provider, model: model.model },
  };
}

/** A page of the models list, sorted by name: right before `beforeId` where only that is given, else after `afterId`. */
export function writeModelList(models: readonly ModelListing[], query: ModelsQuery): JsonObject {
  const { limit, afterId, beforeId } = query;
  const within = models
    .filter(({ id }) =>
      (afterId === undefined || id > afterId) && (beforeId === undefined || id < beforeId)
    )
    .sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
  const size = limit ?? within.length;
  const backwards = beforeId !== undefined && afterId === undefined;
  const page = backwards ? within.slice(Math.max(0, within.length - size)) : within.slice(0, size);
  return {
    object: "list",
    data: page.map(writeModel),
    has_more: page.length < within.length,
    first_id: page[0]?.id ?? null,
    last_id: page.at(-1)?.id ?? null,
  };
}
