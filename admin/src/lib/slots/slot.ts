import type { ModelSlot, ModelSlotInput } from "@vmx/sdk";

/** A slot while it is edited. */
export interface SlotDraft {
  connectionId: string;
  model: string;
  maxRetries: number;
  timeoutMs: number | null;
}

/** A stored slot, ready to be edited. */
export function draftOf({ connectionId, model, maxRetries, timeoutMs }: ModelSlot): SlotDraft {
  return { connectionId, model, maxRetries, timeoutMs };
}

/** A slot as it is sent; the provider follows from the connection. */
export function slotInput({ connectionId, model, maxRetries, timeoutMs }: SlotDraft): ModelSlotInput {
  return { connectionId, model, maxRetries, timeoutMs };
}

/** A slot nobody has filled in yet. */
export function emptySlot(connectionId = ""): SlotDraft {
  return { connectionId, model: "", maxRetries: 0, timeoutMs: null };
}
