/** A way to call a resource. */
export interface Snippet {
  readonly id: string;
  readonly label: string;
  readonly code: string;
}

/**
 * Complete programs that call a resource.
 *
 * @param origin such as `https://gateway.example.com`
 * @param model name of the resource
 */
export function snippetsFor(origin: string, model: string): readonly Snippet[] {
  const name = JSON.stringify(model);
  const body = JSON.stringify({ model, messages: [{ role: "user", content: "Hello" }] });
  return [
    {
      id: "openai",
      label: "OpenAI SDK",
      code: `import OpenAI from "openai";

const client = new OpenAI({ baseURL: "${origin}/v1", apiKey: process.env.VMX_API_KEY });
const answer = await client.chat.completions.create({
  model: ${name},
  messages: [{ role: "user", content: "Hello" }],
});
console.log(answer.choices[0].message.content);`,
    },
    {
      id: "openai-python",
      label: "OpenAI, Python",
      code: `import os
from openai import OpenAI

client = OpenAI(base_url="${origin}/v1", api_key=os.environ["VMX_API_KEY"])
answer = client.chat.completions.create(
    model=${name},
    messages=[{"role": "user", "content": "Hello"}],
)
print(answer.choices[0].message.content)`,
    },
    {
      id: "anthropic",
      label: "Anthropic SDK",
      code: `import Anthropic from "@anthropic-ai/sdk";

const client = new Anthropic({ baseURL: "${origin}", apiKey: process.env.VMX_API_KEY });
const message = await client.messages.create({
  model: ${name},
  max_tokens: 1000,
  messages: [{ role: "user", content: "Hello" }],
});
console.log(message.content);`,
    },
    {
      id: "anthropic-python",
      label: "Anthropic, Python",
      code: `import os
from anthropic import Anthropic

client = Anthropic(base_url="${origin}", api_key=os.environ["VMX_API_KEY"])
message = client.messages.create(
    model=${name},
    max_tokens=1000,
    messages=[{"role": "user", "content": "Hello"}],
)
print(message.content)`,
    },
    {
      id: "ai-sdk",
      label: "Vercel AI SDK",
      code: `import { createOpenAI } from "@ai-sdk/openai";
import { generateText } from "ai";

const vmx = createOpenAI({ baseURL: "${origin}/v1", apiKey: process.env.VMX_API_KEY });
const { text } = await generateText({ model: vmx(${name}), prompt: "Hello" });
console.log(text);`,
    },
    {
      id: "langchain",
      label: "LangChain",
      code: `import { ChatOpenAI } from "@langchain/openai";

const model = new ChatOpenAI({
  model: ${name},
  apiKey: process.env.VMX_API_KEY,
  configuration: { baseURL: "${origin}/v1" },
});
console.log((await model.invoke("Hello")).content);`,
    },
    {
      id: "curl",
      label: "curl",
      code: `curl ${origin}/v1/chat/completions \\
  -H "Authorization: Bearer $VMX_API_KEY" \\
  -H "Content-Type: application/json" \\
  -d '${body.replaceAll("'", "'\\''")}'`,
    },
  ];
}
