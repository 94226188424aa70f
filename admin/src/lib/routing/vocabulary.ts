import type { ConditionDraft, GroupDraft, RouteDraft } from "./draft.ts";

/** Something a rule can look at. */
export interface FieldPreset {
  readonly label: string;
  readonly expression: string;
  readonly type: "string" | "number" | "boolean";
  readonly group: string;
  /** Behind a number. */
  readonly unit?: string;
}

/** What people ask for most; anything else is typed as an expression. */
export const fieldPresets: readonly FieldPreset[] = [
  { group: "Request", label: "Input tokens", expression: "tokens.input", type: "number" },
  {
    group: "Request",
    label: "Characters of all messages",
    expression: "length(request.allMessagesContent)",
    type: "number",
  },
  {
    group: "Request",
    label: "Number of messages",
    expression: "request.messagesCount",
    type: "number",
  },
  {
    group: "Request",
    label: "Last user message",
    expression: "request.lastUserMessage.content",
    type: "string",
  },
  {
    group: "Request",
    label: "Text of any message",
    expression: "request.allMessagesContent",
    type: "string",
  },
  { group: "Request", label: "System text", expression: "request.system", type: "string" },
  { group: "Request", label: "Has tools", expression: "hasTools", type: "boolean" },
  { group: "Request", label: "Has images", expression: "hasImages", type: "boolean" },
  { group: "Request", label: "Has files", expression: "hasFiles", type: "boolean" },
  { group: "Request", label: "Is streamed", expression: "request.stream", type: "boolean" },
  { group: "Request", label: "Format", expression: "request.format", type: "string" },
  { group: "Request", label: "Temperature", expression: "request.temperature", type: "number" },
  { group: "Caller", label: "API key name", expression: "apiKey.name", type: "string" },
  { group: "Caller", label: "API key labels", expression: "apiKey.labels", type: "string" },
  { group: "Caller", label: "Source address", expression: "sourceIp", type: "string" },
  { group: "Caller", label: "Metadata: tier", expression: "metadata.tier", type: "string" },
  { group: "Caller", label: "Metadata: user", expression: "metadata.user", type: "string" },
  {
    group: "Live",
    label: "Error rate over 5 minutes",
    expression: "errorRate(5)",
    type: "number",
    unit: "%",
  },
  {
    group: "Live",
    label: "Error rate over 10 minutes",
    expression: "errorRate(10)",
    type: "number",
    unit: "%",
  },
  {
    group: "Live",
    label: "Tokens used this minute",
    expression: "capacityUsage('minute').tokensUsagePercent",
    type: "number",
    unit: "%",
  },
  {
    group: "Live",
    label: "Requests used this minute",
    expression: "capacityUsage('minute').requestsUsagePercent",
    type: "number",
    unit: "%",
  },
  {
    group: "Live",
    label: "Tokens left this minute",
    expression: "capacityUsage('minute').remainingTokens",
    type: "number",
  },
  {
    group: "Live",
    label: "Requests left this minute",
    expression: "capacityUsage('minute').remainingRequests",
    type: "number",
  },
  {
    group: "Live",
    label: "Median latency",
    expression: "latency(50, 10)",
    type: "number",
    unit: "ms",
  },
  { group: "Time", label: "Hour of the day, UTC", expression: "now.hour", type: "number" },
  { group: "Time", label: "Weekday, 1 is Monday", expression: "now.weekday", type: "number" },
];

/** How sides are compared, in words. */
export const comparatorWords: Readonly<Record<string, string>> = {
  EQUAL: "is",
  NOT_EQUAL: "is not",
  GREATER_THAN: "is more than",
  GREATER_THAN_OR_EQUAL: "is at least",
  LESS_THAN: "is less than",
  LESS_THAN_OR_EQUAL: "is at most",
  CONTAINS: "contains",
  NOT_CONTAINS: "does not contain",
  STARTS_WITH: "starts with",
  ENDS_WITH: "ends with",
  PATTERN: "matches",
  IN: "is one of",
  NOT_IN: "is none of",
  EXISTS: "exists",
};

const numeric = [
  "GREATER_THAN",
  "GREATER_THAN_OR_EQUAL",
  "LESS_THAN",
  "LESS_THAN_OR_EQUAL",
  "EQUAL",
  "NOT_EQUAL",
  "EXISTS",
];
const textual = [
  "CONTAINS",
  "NOT_CONTAINS",
  "EQUAL",
  "NOT_EQUAL",
  "STARTS_WITH",
  "ENDS_WITH",
  "PATTERN",
  "IN",
  "NOT_IN",
  "EXISTS",
];

/** The preset an expression stands for. */
export function presetOf(expression: string): FieldPreset | undefined {
  return fieldPresets.find((preset) => preset.expression === expression);
}

/** Comparators that make sense for a left side; all of them for an expression of one's own. */
export function comparatorsFor(expression: string): readonly string[] {
  const type = presetOf(expression)?.type;
  if (type === "number") return numeric;
  if (type === "boolean") return ["EQUAL", "NOT_EQUAL", "EXISTS"];
  return type === "string" ? textual : Object.keys(comparatorWords);
}

/** The type of the right side that goes with a left side and a comparator. */
export function valueTypeFor(expression: string, comparator: string, present: string): string {
  if (comparator === "IN" || comparator === "NOT_IN") return "comma-delimited-list";
  if (comparator === "EXISTS") return "boolean";
  const type = presetOf(expression)?.type;
  if (type) return type;
  if (comparator.includes("THAN")) return "number";
  return present === "comma-delimited-list" ? "string" : present;
}

/** A rule as a sentence. */
export function sentenceOf(route: RouteDraft, target: string): string {
  const when = route.mode === "ADVANCED"
    ? `the expression holds`
    : joined(route.conditions, route.operator) || "any request comes";
  if (route.action === "BLOCK") return `When ${when}, refuse the request.`;
  const share = route.traffic === null ? "send it" : `send ${route.traffic} %`;
  return `When ${when}, ${share} to ${target}.`;
}

function joined(
  conditions: readonly (ConditionDraft | GroupDraft)[],
  operator: "AND" | "OR",
): string {
  return conditions
    .filter(({ enabled }) => enabled)
    .map((each) =>
      each.type === "group" ? `(${joined(each.conditions, each.operator)})` : phrase(each)
    )
    .join(operator === "AND" ? " and " : " or ");
}

function phrase({ expression, comparator, value }: ConditionDraft): string {
  const preset = presetOf(expression);
  const left = preset ? preset.label.toLowerCase() : expression;
  if (comparator === "EXISTS") {
    return `${left} ${value.expression === "false" ? "is absent" : "exists"}`;
  }
  if (preset?.type === "boolean" && comparator === "EQUAL") {
    return value.expression === "false" ? `not: ${left}` : left;
  }
  const right = preset?.type === "number"
    ? `${value.expression ?? "?"}${preset.unit ? ` ${preset.unit}` : ""}`
    : `“${value.expression ?? ""}”`;
  return `${left} ${comparatorWords[comparator] ?? comparator} ${right}`;
}

/** A request to try rules with. */
export interface Sample {
  readonly label: string;
  readonly dialect: string;
  readonly body: Readonly<Record<string, unknown>>;
}

const long = "Please summarise the following report in detail. ".repeat(200).trim();

/** Requests as applications send them. */
export const samples: readonly Sample[] = [
  {
    label: "Short chat",
    dialect: "openai-chat",
    body: { messages: [{ role: "user", content: "What is the capital of France?" }] },
  },
  {
    label: "Long chat",
    dialect: "openai-chat",
    body: {
      messages: [{ role: "system", content: "You are a careful analyst." }, {
        role: "user",
        content: long,
      }],
    },
  },
  {
    label: "With tools",
    dialect: "openai-chat",
    body: {
      messages: [{ role: "user", content: "What is the weather in Lisbon?" }],
      tools: [{
        type: "function",
        function: {
          name: "get_weather",
          description: "Current weather",
          parameters: {
            type: "object",
            properties: { city: { type: "string" } },
            required: ["city"],
          },
        },
      }],
    },
  },
  {
    label: "With an image",
    dialect: "openai-chat",
    body: {
      messages: [{
        role: "user",
        content: [{ type: "text", text: "What is in this picture?" }, {
          type: "image_url",
          image_url: { url: "https://example.com/cat.png" },
        }],
      }],
    },
  },
  {
    label: "JSON answer",
    dialect: "openai-chat",
    body: {
      messages: [{ role: "user", content: "Name three rivers." }],
      response_format: { type: "json_object" },
    },
  },
  {
    label: "Messages, streamed",
    dialect: "anthropic-messages",
    body: {
      max_tokens: 300,
      stream: true,
      messages: [{ role: "user", content: "Write a haiku." }],
    },
  },
];
