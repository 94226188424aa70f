/** One instruction of a container file: its word in capitals and the rest of the line, continuations joined. */
export interface Instruction {
  readonly word: string;
  readonly rest: string;
}

/** One `FROM` with the instructions below it. */
export interface Stage {
  readonly base: string;
  readonly name: string | undefined;
  readonly instructions: readonly Instruction[];
}

/** Reads the subset of the container file language that our own file uses: no heredocs, no escape directive. */
export function parseContainerfile(text: string): readonly Stage[] {
  const lines = text
    .split("\n")
    .filter((line) => !/^\s*(#|$)/.test(line))
    .join("\n")
    .replace(/\s*\\\n\s*/g, " ")
    .split("\n");
  const stages: { base: string; name: string | undefined; instructions: Instruction[] }[] = [];
  for (const line of lines) {
    const [, word = "", rest = ""] = /^(\w+)\s+(.*)$/.exec(line) ?? [];
    const from = word.toUpperCase() === "FROM" ? /^(\S+)(?:\s+AS\s+(\S+))?$/i.exec(rest) : null;
    if (from) stages.push({ base: from[1]!, name: from[2], instructions: [] });
    else stages.at(-1)?.instructions.push({ word: word.toUpperCase(), rest });
  }
  return stages;
}
