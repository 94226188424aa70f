/**
 * Takes secrets out of JSON and keeps it JSON. The formats of secrets know nothing of JSON: where a find took a piece
 * of its structure with it, texts are gone through one by one instead.
 */
export function redactJson(json: string, redact: (text: string) => string): string {
  const safe = redact(json);
  if (safe === json || isJson(safe)) return safe;
  return JSON.stringify(
    JSON.parse(json),
    (_name, value: unknown) => typeof value === "string" ? redact(value) : value,
  );
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
