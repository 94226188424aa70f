import { createHash } from "node:crypto";
import { markSignature, readSignature } from "@vmx/core/kit";

/** Begins the ids of calls the model gave none. */
const prefix = "call_vmx";
const generated = /^call_vmx[0-9a-f]{16}$/;

/** Makes the id of a call the model gave none: the same for the same place in the same answer. */
export function makeCallId(...place: readonly (string | number | undefined)[]): string {
  const hash = createHash("sha256").update(JSON.stringify(place)).digest("hex");
  return prefix + hash.slice(0, 16);
}

/** The id callers see: the signature travels inside it. */
export function packCallId(id: string, signature: string | undefined): string {
  return signature === undefined ? id : markSignature(id, signature);
}

/** Takes apart an id a caller gave back; `id` is undefined for one this dialect made up. */
export function unpackCallId(
  packed: string,
): { readonly id?: string; readonly signature?: string } {
  const { id, signature } = readSignature(packed) ?? { id: packed };
  return {
    ...(generated.test(id) || id === "" ? {} : { id }),
    ...(signature === undefined ? {} : { signature }),
  };
}
