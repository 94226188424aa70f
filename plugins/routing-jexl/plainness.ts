import { plainRequestMembers } from "@vmx/core/contract";
import type { Node } from "./node.ts";

/** Whether a value of the node cannot hold text of the caller's messages. */
export function isPlain(node: Node): boolean {
  switch (node.type) {
    case "literal":
    case "not":
    case "element":
      return true;
    case "variable":
      return node.path[0] !== "request" || plainRequestMembers.has(node.path[1] ?? "");
    case "list":
      return node.items.every(isPlain);
    case "member":
    case "index":
    case "filter":
      return isPlain(node.of);
    case "binary":
      return isPlain(node.left) && isPlain(node.right);
    case "choice":
      return isPlain(node.then ?? node.test) && isPlain(node.otherwise);
    case "call":
      return node.args.every(isPlain);
  }
}
