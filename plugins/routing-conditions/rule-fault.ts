/** Why a rule cannot be compiled, and which member is at fault, by JSON pointer from the rule on. */
export class RuleFault extends Error {
  override readonly name = "RuleFault";
  readonly pointer: string;

  constructor(pointer: string, reason: string, cause?: unknown) {
    super(reason, { cause });
    this.pointer = pointer;
  }
}
