import type { ModelSlot, ModelSlotInput } from "@vmx/sdk";

/** A slot while it is edited: everything but the provider, which follows from the connection. */
export interface SlotDraft {
  connectionId: string;
  model: string;
  maxRetries: number;
  timeoutMs: number | null;
  firstTokenTimeoutMs: number | null;
  idleTimeoutMs: number | null;
}

/** A stored slot, ready to be edited. */
export function draftOf(slot: ModelSlot): SlotDraft {
  return {
    connectionId: slot.connectionId,
    model: slot.model,
    maxRetries: slot.maxRetries,
    timeoutMs: slot.timeoutMs,
    firstTokenTimeoutMs: slot.firstTokenTimeoutMs ?? null,
    idleTimeoutMs: slot.idleTimeoutMs ?? null,
  };
}

/** A slot as it is sent. */
export function slotInput({ connectionId, ...rest }: SlotDraft): ModelSlotInput {
  // A slot without a connection is refused by the gateway, which names the slot.
  return connectionId ? { connectionId, ...rest } : rest;
}

/** A slot nobody has filled in yet. */
export function emptySlot(connectionId = ""): SlotDraft {
  return {
    connectionId,
    model: "",
    maxRetries: 0,
    timeoutMs: null,
    firstTokenTimeoutMs: null,
    idleTimeoutMs: null,
  };
}
