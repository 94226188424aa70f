import { type ErrorCode, type Fault, GatewayError } from "../contract/errors.ts";

/** Where a value stands in a body, member by member. */
export type Place = readonly (string | number)[];

/** Most faults that are told at once. */
const mostFaults = 50;

/** Gathers what is wrong with a routing block, so that it is told in one answer. */
export interface Faults {
  add(place: Place, message: string, code?: ErrorCode, slot?: string): void;
  /** Takes over the faults of a compiled part, whose pointers start at `place`. */
  adopt(place: Place, faults: readonly Fault[]): void;
  readonly list: readonly Fault[];
  /** Throws one GatewayError with all faults; its code is the first one's. */
  throwAny(): void;
}

/** Starts without faults. */
export function createFaults(): Faults {
  const list: Fault[] = [];
  const names: string[] = [];
  return {
    list,
    add(place, message, code = "VALIDATION_FAILED", slot) {
      if (list.length >= mostFaults) return;
      names.push(nameOf(place));
      list.push({ path: pointerOf(place), code, message, ...(slot === undefined ? {} : { slot }) });
    },
    adopt(place, faults) {
      for (const { path, message, code } of faults) {
        this.add([...place, ...membersOf(path)], message, code as ErrorCode);
      }
    },
    throwAny() {
      const [first] = list;
      if (!first) return;
      throw new GatewayError(
        first.code as ErrorCode,
        `Cannot accept ${names[0]}: ${first.message}`,
        { param: names[0]!, faults: list },
      );
    },
  };
}

/** The place as people write it, such as `routing.conditions[2].expression`. */
export function nameOf(place: Place): string {
  return place
    .map((member, index) =>
      typeof member === "number" ? `[${member}]` : index === 0 ? member : `.${member}`
    )
    .join("");
}

function pointerOf(place: Place): string {
  return place
    .map((member) => `/${String(member).replaceAll("~", "~0").replaceAll("/", "~1")}`)
    .join("");
}

function membersOf(pointer: string): Place {
  return pointer.split("/").slice(1).map((member) =>
    /^\d+$/.test(member) ? Number(member) : member.replaceAll("~1", "/").replaceAll("~0", "~")
  );
}
