import type { JsonObject, ModelListing, ModelsQuery } from "@vmx/core/contract";

/** One model, with the members the OpenAI and the Anthropic SDK expect. */
export function encodeModel(model: ModelListing): JsonObject {
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

/** The models list, sorted by name. With `beforeId` a page ends right before it, else it starts after `afterId`. */
export function encodeModels(models: readonly ModelListing[], query: ModelsQuery): JsonObject {
  const { limit, afterId, beforeId } = query;
  const within = models
    .filter(({ id }) =>
      (afterId === undefined || id > afterId) && (beforeId === undefined || id < beforeId)
    )
    .sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
  const backwards = beforeId !== undefined && afterId === undefined;
  const page = limit === undefined || limit >= within.length
    ? within
    : backwards
    ? within.slice(within.length - limit)
    : within.slice(0, limit);
  return {
    object: "list",
    data: page.map(encodeModel),
    has_more: page.length < within.length,
    first_id: page[0]?.id ?? null,
    last_id: page.at(-1)?.id ?? null,
  };
}
