/** A segment of a resource string: a fixed word, or an object known by its name and its id. */
export type Segment = string | { readonly name: string; readonly id: string };

/** What an action is done to. */
export interface Resource {
  /** The spelling by names, for messages. */
  readonly text: string;
  /** Every spelling by names and ids, in lower case; a policy pattern may use either. */
  readonly spellings: readonly string[];
  /** The workspace it lies in; undefined for what belongs to the installation. */
  readonly workspaceId?: string | undefined;
  /** Who made it, for rights over what one made oneself. */
  readonly createdBy?: string | null | undefined;
}

/** Builds a resource from its segments. */
export function resourceOf(
  segments: readonly Segment[],
  place: Pick<Resource, "workspaceId" | "createdBy"> = {},
): Resource {
  let spellings = [""];
  for (const [index, segment] of segments.entries()) {
    const colon = index === 0 ? "" : ":";
    const choices = typeof segment === "string"
      ? [segment]
      : [...new Set([encodeName(segment.name), encodeName(segment.id)])];
    spellings = spellings.flatMap((head) =>
      choices.map((choice) => (head + colon + choice).toLowerCase())
    );
  }
  const text = segments
    .map((segment) => typeof segment === "string" ? segment : encodeName(segment.name))
    .join(":");
  return { text, spellings, ...place };
}

/** A name as it stands in a resource string. */
export function encodeName(name: string): string {
  return name.replace(
    /[:*?%]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
