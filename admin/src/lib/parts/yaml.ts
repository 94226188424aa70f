/** Prints plain data as YAML, for reading; strings that could be read as something else are quoted. */
export function printYaml(value: unknown, indent = ""): string {
  if (Array.isArray(value)) {
    if (value.length === 0) return "[]";
    return value.map((item) => `${indent}- ${nested(item, `${indent}  `)}`).join("\n");
  }
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).filter(([, member]) => member !== undefined);
    if (entries.length === 0) return "{}";
    return entries.map(([name, member]) => `${indent}${scalar(name)}:${below(member, indent)}`)
      .join("\n");
  }
  return scalar(value);
}

function below(value: unknown, indent: string): string {
  if (typeof value !== "object" || value === null) return ` ${scalar(value)}`;
  const text = printYaml(value, `${indent}  `);
  return text === "[]" || text === "{}" ? ` ${text}` : `\n${text}`;
}

function nested(value: unknown, indent: string): string {
  return typeof value === "object" && value !== null
    ? printYaml(value, indent).replace(indent, "")
    : scalar(value);
}

function scalar(value: unknown): string {
  if (typeof value !== "string") return String(value);
  const plain = /^[A-Za-z_][\w ./@-]*$/.test(value) &&
    !/^(true|false|null|yes|no|on|off|y|n)$/i.test(value) &&
    !value.endsWith(" ");
  return plain ? value : JSON.stringify(value);
}
