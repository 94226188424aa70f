const maxLength = 200;

/**
 * Gives the documents of one request names the service takes: letters, digits, single spaces, hyphens, parentheses
 * and square brackets, no name twice (API reference, `DocumentBlock`; recorded refusals of duplicates).
 */
export function createDocumentNames(): (name: string | undefined) => string {
  const taken = new Set<string>();
  return (name) => {
    const clean = cleanName(name ?? "");
    for (let count = 1;; count++) {
      const tail = count === 1 ? "" : ` (${count})`;
      const candidate = clean.slice(0, maxLength - tail.length).trimEnd() + tail;
      const key = candidate.toLowerCase();
      if (taken.has(key)) continue;
      taken.add(key);
      return candidate;
    }
  };
}

function cleanName(name: string): string {
  const stem = name.replace(/\.[A-Za-z0-9]{1,5}$/, "");
  const clean = stem.replace(/[^A-Za-z0-9\s()[\]-]/g, " ").replace(/\s+/g, " ").trim();
  return clean === "" ? "document" : clean;
}
