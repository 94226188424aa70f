import type { Json } from "../contract/json.ts";
import { isObject } from "./json-text.ts";

/** What reasoning of another provider family carries beside its text. */
export interface ForeignReasoning {
  /** The family that made it; no other may see it. */
  readonly family: string;
  readonly signature?: string;
  readonly encrypted?: string;
}

/** Begins every opaque text the gateway wrote itself; no provider's own begins so. */
const prefix = "vmx1.";

/**
 * Packs the opaque parts of another family's reasoning into one text, for answers in a dialect that has a place
 * for its own family's only. The caller gives it back unread.
 */
export function packReasoning({ family, signature, encrypted }: ForeignReasoning): string {
  const packed = JSON.stringify({ family, signature, encrypted });
  return prefix + Buffer.from(packed).toString("base64url");
}

/** Whether an opaque text was written by the gateway. */
export function isPackedReasoning(text: string | undefined): boolean {
  return text?.startsWith(prefix) ?? false;
}

/** Unpacks what `packReasoning` wrote; undefined for a provider's own text, and for one the caller altered. */
export function unpackReasoning(text: string): ForeignReasoning | undefined {
  if (!isPackedReasoning(text)) return undefined;
  try {
    const value: unknown = JSON.parse(
      Buffer.from(text.slice(prefix.length), "base64url").toString(),
    );
    if (!isObject(value) || typeof value["family"] !== "string") return undefined;
    const { family, signature, encrypted } = value;
    return {
      family,
      ...(isText(signature) ? { signature } : {}),
      ...(isText(encrypted) ? { encrypted } : {}),
    };
  } catch {
    // Cut or altered by the caller: worth nothing, but no reason to fail.
    return undefined;
  }
}

function isText(value: Json | undefined): value is string {
  return typeof value === "string";
}
