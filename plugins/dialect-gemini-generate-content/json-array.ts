import { type Frame, type Framer, GatewayError } from "@vmx/core/contract";

const QUOTE = 34;
const COMMA = 44;
const OPEN_BRACKET = 91;
const BACKSLASH = 92;
const CLOSE_BRACKET = 93;
const OPEN_BRACE = 123;
const CLOSE_BRACE = 125;

/**
 * Cuts the elements out of a stream that is one JSON array, as the service answers when it is not asked for
 * server-sent events. Each element becomes a frame.
 */
export function createJsonArrayFramer(): Framer {
  const decoder = new TextDecoder();
  let held = "";
  /** How much of `held` has been looked at. */
  let at = 0;
  /** Where the open element begins in `held`; negative when none is open. */
  let from = -1;
  let depth = 0;
  let inText = false;
  let opened = false;
  let closed = false;

  const read = (text: string): Frame[] => {
    held += text;
    const frames: Frame[] = [];
    for (; at < held.length; at++) {
      const code = held.charCodeAt(at);
      if (inText) {
        if (code === BACKSLASH) at++;
        else if (code === QUOTE) inText = false;
      } else if (from < 0) {
        if (code === OPEN_BRACE && opened && !closed) {
          from = at;
          depth = 1;
        } else if (code === OPEN_BRACKET && !opened) opened = true;
        else if (code === CLOSE_BRACKET && opened) closed = true;
        else if (code !== COMMA && code > 32 && code !== 0xfeff) throw noArray();
      } else if (code === QUOTE) inText = true;
      else if (code === OPEN_BRACE || code === OPEN_BRACKET) depth++;
      else if ((code === CLOSE_BRACE || code === CLOSE_BRACKET) && --depth === 0) {
        frames.push({ data: held.slice(from, at + 1) });
        from = -1;
      }
    }
    if (from < 0) {
      held = "";
      at = 0;
    } else if (from > 0) {
      held = held.slice(from);
      at -= from;
      from = 0;
    }
    return frames;
  };

  return {
    push: (chunk) => read(decoder.decode(chunk, { stream: true })),
    end() {
      const frames = read(decoder.decode());
      if (!closed) {
        throw new GatewayError(
          "upstream_invalid_response",
          "Cannot read the provider's stream: its array does not end",
        );
      }
      return frames;
    },
  };
}

function noArray(): GatewayError {
  return new GatewayError(
    "upstream_invalid_response",
    "Cannot read the provider's stream: it is no array of objects",
  );
}
