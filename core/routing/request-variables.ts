import type { RequestFacts } from "../contract/index.ts";
import type { Json, JsonObject } from "../contract/json.ts";
import { readMember } from "../kit/index.ts";

/** What `request` is made of. */
export interface RequestSource {
  readonly inspection: RequestFacts;
  readonly mergedBody: JsonObject;
  readonly nativeBody: JsonObject;
  readonly metadata: Readonly<Record<string, string>>;
  readonly format: string;
}

/** Members of `request`: those every dialect has, then those of the body. */
export interface RequestVariables {
  read(name: string): Json | undefined;
}

/** Reads members of `request`; each that must be built is built once. */
export function requestVariables(source: RequestSource): RequestVariables {
  const { inspection, mergedBody } = source;
  const built = new Map<string, Json | undefined>();

  function build(name: string): Json | undefined {
    const { messages } = inspection;
    switch (name) {
      case "messages":
        return messages;
      case "firstMessage":
        return messages[0];
      case "lastMessage":
        return messages.at(-1);
      case "lastUserMessage":
        return messages.findLast(({ role }) => role === "user");
      case "allMessagesContent":
        return messages.map(({ content }) => content).join(" ");
      case "system":
        return inspection.system;
      case "nativeBody": {
        const { vmx: _envelope, ...body } = source.nativeBody;
        return body;
      }
    }
    return undefined;
  }

  return {
    read(name) {
      switch (name) {
        case "stream":
          return inspection.stream;
        case "messagesCount":
          return inspection.messages.length;
        case "toolsCount":
          return inspection.toolsCount;
        case "hasTools":
          return inspection.toolsCount > 0;
        case "hasImages":
          return inspection.hasImages;
        case "hasFiles":
          return inspection.hasFiles;
        case "format":
          return source.format;
        case "metadata":
          return source.metadata;
        case "messages":
        case "firstMessage":
        case "lastMessage":
        case "lastUserMessage":
        case "allMessagesContent":
        case "system":
        case "nativeBody":
          if (!built.has(name)) built.set(name, build(name));
          return built.get(name);
      }
      return readMember(mergedBody, name);
    },
  };
}
