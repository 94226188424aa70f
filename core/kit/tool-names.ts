/** What a dialect takes as the name of a tool. */
export interface NameAlphabet {
  /** Matches, with the flag `g`, every character a name must not hold. */
  readonly forbidden: RegExp;
  readonly maxLength: number;
  /** Matches a name that begins with a character it must not begin with. */
  readonly badStart?: RegExp;
}

/** How the tools of one request are named on the wire. */
export interface ToolNames {
  /** The name on the wire of a caller's name. */
  toWire(name: string): string;
  /** The name on the wire -> the caller's, for names that had to change; undefined when none had to. */
  readonly changed: ReadonlyMap<string, string> | undefined;
}

/**
 * Spells tool names in a dialect's alphabet. A name that fits stays; any other gets its odd characters replaced and
 * a hash of itself appended, so that it is spelled the same in every turn, whatever other tools are offered.
 *
 * @param names all names the request holds: of tools and of earlier calls
 */
export function createToolNames(names: Iterable<string>, alphabet: NameAlphabet): ToolNames {
  const spelled = new Map<string, string>();
  const taken = new Set<string>();
  const odd: string[] = [];
  for (const name of new Set(names)) {
    if (!fits(name, alphabet)) odd.push(name);
    else {
      spelled.set(name, name);
      taken.add(name);
    }
  }
  const changed = new Map<string, string>();
  for (const name of odd) {
    let wire = spellName(name, alphabet);
    for (let salt = 1; taken.has(wire); salt++) wire = spellName(name, alphabet, salt);
    taken.add(wire);
    spelled.set(name, wire);
    changed.set(wire, name);
  }
  return {
    toWire: (name) => spelled.get(name) ?? spellName(name, alphabet),
    changed: changed.size === 0 ? undefined : changed,
  };
}

/**
 * Spells one name, of a tool or anything else with an alphabet (call ids), the same way each time.
 *
 * @param salt tells apart names that would come out equal
 */
export function spellName(name: string, alphabet: NameAlphabet, salt = 0): string {
  if (salt === 0 && fits(name, alphabet)) return name;
  const clean = name.replace(alphabet.forbidden, "_");
  const begun = alphabet.badStart?.test(clean) ? `_${clean}` : clean;
  const tail = `_${hash(`${name}${salt === 0 ? "" : `\0${salt}`}`)}`;
  return begun.slice(0, alphabet.maxLength - tail.length) + tail;
}

function fits(name: string, { forbidden, maxLength, badStart }: NameAlphabet): boolean {
  return name !== "" && name.length <= maxLength && name.search(forbidden) < 0 &&
    !badStart?.test(name);
}

/** FNV-1a with 32 bits over UTF-16 units, as 8 hexadecimal digits. It tells names apart and keeps no secrets. */
function hash(text: string): string {
  let value = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) {
    value = Math.imul(value ^ text.charCodeAt(at), 0x01000193);
  }
  return (value >>> 0).toString(16).padStart(8, "0");
}
