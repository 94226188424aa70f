/** Precedence of the operators between two values, as jexl has them. */
export const binaryOperators = {
  "||": 10,
  "&&": 10,
  "==": 20,
  "!=": 20,
  "<": 20,
  "<=": 20,
  ">": 20,
  ">=": 20,
  in: 20,
  "+": 30,
  "-": 30,
  "*": 40,
  "/": 40,
  "%": 50,
  "^": 50,
} as const;

/** An operator between two values. */
export type BinaryOperator = keyof typeof binaryOperators;

interface GrammarElement {
  readonly type: string;
  readonly precedence?: number;
}

const signs = {
  ".": "dot",
  "[": "openBracket",
  "]": "closeBracket",
  "(": "openParen",
  ")": "closeParen",
  "|": "pipe",
  ",": "comma",
  ":": "colon",
  "?": "question",
} as const;

/** What jexl's lexer and parser are given: our operators and signs, nothing that evaluates. */
export const grammar: { readonly elements: Readonly<Record<string, GrammarElement>> } = {
  elements: elements(),
};

function elements(): Record<string, GrammarElement> {
  // Without a prototype, so that `constructor` and its like are names to the parser and not elements.
  const all: Record<string, GrammarElement> = Object.create(null);
  for (const [sign, type] of Object.entries(signs)) all[sign] = { type };
  for (const [sign, precedence] of Object.entries(binaryOperators)) {
    all[sign] = { type: "binaryOp", precedence };
  }
  all["!"] = { type: "unaryOp", precedence: Infinity };
  return all;
}
