import type { JsonObject, Operation, Translated, Warning } from "@vmx/core/contract";
import { isObject, isPackedReasoning, unpackReasoning } from "@vmx/core/kit";
import { listOf, pointer, textOf } from "@vmx/dialect-openai-chat/read-json";

/**
 * Takes reasoning items out of a body that came from answers of another family: the provider could not open
 * their encrypted content and would refuse the request.
 */
export function withoutMarks(
  body: JsonObject,
  _operation: Operation,
  family?: string,
): Translated<JsonObject> {
  const warnings: Warning[] = [];
  const items = listOf(body["input"]);
  const kept = items.filter((item, at) => {
    const opaque = isObject(item) ? textOf(item["encrypted_content"]) : undefined;
    if (opaque === undefined || !isPackedReasoning(opaque)) return true;
    if (family !== undefined && unpackReasoning(opaque)?.family === family) return true;
    warnings.push({
      code: "reasoning_dropped",
      path: pointer("input", at),
      action: "dropped",
      detail: "The reasoning belongs to another provider",
    });
    return false;
  });
  return warnings.length === 0
    ? { value: body, warnings }
    : { value: { ...body, input: kept }, warnings };
}
