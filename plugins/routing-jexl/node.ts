import type { BinaryOperator } from "./grammar.ts";

/** A checked expression. */
export type Node =
  | { readonly type: "literal"; readonly value: string | number | boolean | null | undefined }
  | { readonly type: "list"; readonly items: readonly Node[] }
  | { readonly type: "variable"; readonly path: readonly string[] }
  /** The element a filter looks at. */
  | { readonly type: "element" }
  | { readonly type: "member"; readonly of: Node; readonly name: string }
  | { readonly type: "index"; readonly of: Node; readonly index: number }
  | { readonly type: "filter"; readonly of: Node; readonly condition: Node }
  | { readonly type: "not"; readonly operand: Node }
  | {
    readonly type: "binary";
    readonly operator: BinaryOperator;
    readonly left: Node;
    readonly right: Node;
  }
  | {
    readonly type: "choice";
    readonly test: Node;
    /** Absent in `a ?: b`, which answers `a` if that is true. */
    readonly then: Node | undefined;
    readonly otherwise: Node;
  }
  | { readonly type: "call"; readonly name: string; readonly args: readonly Node[] };

/** Writes a node as text, for traces. */
export function writeNode(node: Node): string {
  switch (node.type) {
    case "literal":
      return node.value === undefined ? "undefined" : JSON.stringify(node.value);
    case "list":
      return `[${node.items.map(writeNode).join(", ")}]`;
    case "variable":
      return node.path.map(writeMember).join("").slice(1);
    case "element":
      return "";
    case "member":
      return `${writeOperand(node.of)}${writeMember(node.name)}`;
    case "index":
      return `${writeOperand(node.of)}[${node.index}]`;
    case "filter":
      return `${writeOperand(node.of)}[${writeNode(node.condition)}]`;
    case "not":
      return `!${writeOperand(node.operand)}`;
    case "binary":
      return `${writeOperand(node.left)} ${node.operator} ${writeOperand(node.right)}`;
    case "choice":
      return `${writeOperand(node.test)} ?${node.then ? ` ${writeOperand(node.then)} ` : ""}: ${
        writeOperand(node.otherwise)
      }`;
    case "call":
      return `${node.name}(${node.args.map(writeNode).join(", ")})`;
  }
}

function writeOperand(node: Node): string {
  const text = writeNode(node);
  return node.type === "binary" || node.type === "choice" ? `(${text})` : text;
}

function writeMember(name: string): string {
  return /^[\p{L}_$][\p{L}\p{N}_$]*$/u.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`;
}
