import JexlLexer from "jexl/dist/Lexer.js";
import JexlParser from "jexl/dist/parser/Parser.js";
import { grammar } from "./grammar.ts";

/** The parts of jexl we use, with our grammar: its evaluator is not among them. */
interface Lexer {
  /** Cuts a text into pieces; joined, they are the text again. */
  getElements(text: string): string[];
}

interface Parser {
  addToken(
    token: { readonly type: string; readonly value: unknown; readonly raw: string },
  ): unknown;
  complete(): unknown;
}

/** jexl's lexer. */
export function createLexer(): Lexer {
  return new (JexlLexer as unknown as new (grammar: unknown) => Lexer)(grammar);
}

/** jexl's parser, for one expression. */
export function createParser(): Parser {
  return new (JexlParser as unknown as new (grammar: unknown) => Parser)(grammar);
}
