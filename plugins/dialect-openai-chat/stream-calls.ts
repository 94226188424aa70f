import type { Block, JsonObject, StreamPart } from "@vmx/core/contract";
import { callSpelling, legacyCallId, without } from "./decode-response.ts";
import { native, numberOf, objectOf, textOf } from "./read-json.ts";

/** What the calls of one choice need of its stream. */
export interface CallsOut {
  /** A further block begins: its number. */
  nextIndex(): number;
  begin(index: number, block: Block): void;
  emit(part: StreamPart): void;
}

/** The tool calls of one choice of a stream. */
export interface StreamCalls {
  /** Reads one element of a delta's `tool_calls`. */
  read(delta: JsonObject): void;
  /** Reads a delta's `function_call`. */
  readLegacy(delta: JsonObject): void;
  /** The choice has finished: what is open is closed. */
  close(): void;
}

interface OpenCall {
  readonly index: number;
  id: string;
  name: string;
  text: string;
  /** A custom tool's call, which is handed on whole because only this dialect has it. */
  custom?: JsonObject;
  /** True once the block has been opened, which takes its name. */
  opened: boolean;
  closed: boolean;
}

/**
 * Puts the fragments of tool calls together. A call is closed when the next begins and its arguments are whole, else
 * at the finish, because services may interleave the fragments of parallel calls.
 */
export function createStreamCalls(choice: number, out: CallsOut): StreamCalls {
  const calls: OpenCall[] = [];
  const places = new Map<number, OpenCall>();

  const closeCalls = (onlyWhole: boolean): void => {
    for (const call of calls) {
      if (call.custom && !call.closed && !onlyWhole) openCustom(call, call.custom);
      if (!call.opened || call.closed || (onlyWhole && !isWhole(call.text))) continue;
      call.closed = true;
      out.emit({ type: "block-end", index: call.index });
    }
  };
  const openCustom = (call: OpenCall, custom: JsonObject): void => {
    const value = { ...custom, id: call.id, custom: { name: call.name, input: call.text } };
    const block: Block = { type: "native", choice, kind: "tool-call", native: native(value) };
    call.opened = true;
    out.begin(call.index, block);
  };
  const callFor = (delta: JsonObject): OpenCall => {
    const place = numberOf(delta["index"]);
    const id = textOf(delta["id"]);
    const name = textOf(objectOf(delta["function"])?.["name"]);
    const known = place === undefined
      ? calls.find((call) => id !== undefined && call.id === id) ??
        (id === undefined ? calls.at(-1) : undefined)
      : places.get(place);
    // Some services count every call as the first: a new id with a name is a new call.
    const renewed = known && id && known.id !== "" && id !== known.id && name;
    if (known && !renewed) return known;
    closeCalls(true);
    const call = {
      index: out.nextIndex(),
      id: "",
      name: "",
      text: "",
      opened: false,
      closed: false,
    };
    calls.push(call);
    if (place !== undefined) places.set(place, call);
    return call;
  };

  const readCall = (delta: JsonObject): void => {
    const own = objectOf(delta["function"]);
    const custom = objectOf(delta["custom"]);
    const call = callFor(delta);
    if (custom && !call.custom) {
      const { index: _index, ...spelling } = delta;
      call.custom = spelling;
    }
    if (call.id === "") call.id = textOf(delta["id"]) ?? "";
    if (call.name === "") call.name = textOf((own ?? custom)?.["name"]) ?? "";
    growCall(
      call,
      textOf(own?.["arguments"]) ?? textOf(custom?.["input"]) ?? "",
      callSpelling(delta),
    );
  };

  const growCall = (call: OpenCall, fragment: string, original: JsonObject): void => {
    call.text += fragment;
    if (call.opened) {
      if (fragment !== "") out.emit({ type: "block-delta", index: call.index, text: fragment });
      return;
    }
    if (call.name === "" || call.custom) return;
    call.opened = true;
    const block: Block = {
      type: "tool-call",
      choice,
      id: call.id || `call_${choice}_${calls.indexOf(call)}`,
      name: call.name,
      arguments: "",
      native: native(original),
    };
    out.begin(call.index, block);
    if (call.text !== "") out.emit({ type: "block-delta", index: call.index, text: call.text });
  };

  const readFunctionCall = (delta: JsonObject): void => {
    let call = calls.at(-1);
    if (!call) {
      call = {
        index: out.nextIndex(),
        id: legacyCallId(choice),
        name: "",
        text: "",
        opened: false,
        closed: false,
      };
      calls.push(call);
    }
    if (call.name === "") call.name = textOf(delta["name"]) ?? "";
    growCall(call, textOf(delta["arguments"]) ?? "", {
      function_call: without(delta, ["name", "arguments"]),
    });
  };

  return {
    read: readCall,
    readLegacy: readFunctionCall,
    close() {
      for (const call of calls) if (!call.opened && !call.custom) call.closed = true;
      closeCalls(false);
    },
  };
}

function isWhole(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
