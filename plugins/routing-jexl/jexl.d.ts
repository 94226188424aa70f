// The package ships no types; `jexl-parser.ts` tells what we use of it.
declare module "jexl/dist/Lexer.js" {
  const Lexer: unknown;
  export default Lexer;
}
declare module "jexl/dist/parser/Parser.js" {
  const Parser: unknown;
  export default Parser;
}
declare module "jexl" {
  export const Jexl: new () => { evalSync(text: string): unknown };
}
