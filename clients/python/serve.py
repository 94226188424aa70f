"""Drives the Python SDKs for a test in another process.

Takes one request per line, `{"client", "method", "url", "apiKey", "model", "prompt", "stream"}`, and answers with
lines: `{"text"}` for a piece of a stream, `{"echo"}` for a tool call (the next line read is `{"answer"}`), and at
the end `{"result"}` or `{"error"}`.
"""

import json
import sys

import anthropic
import openai
from pydantic import BaseModel


class Form(BaseModel):
    echo: str


PARAMETERS = {
    "type": "object",
    "properties": {"echo": {"type": "string"}},
    "required": ["echo"],
    "additionalProperties": False,
}


def say(**members):
    print(json.dumps(members), flush=True)


def answer(echo):
    say(echo=echo)
    return json.loads(sys.stdin.readline())["answer"]


class Chat:
    def __init__(self, url, key):
        self.completions = openai.OpenAI(base_url=f"{url}/v1", api_key=key, max_retries=0).chat.completions

    def text(self, model, messages):
        return self.completions.create(model=model, messages=messages).choices[0].message.content

    def stream(self, model, messages):
        for chunk in self.completions.create(model=model, messages=messages, stream=True):
            if chunk.choices:
                say(text=chunk.choices[0].delta.content or "")

    def tool(self, model, messages, stream):
        tools = [{"type": "function", "function": {"name": "repeat", "parameters": PARAMETERS}}]

        def ask():
            if not stream:
                return self.completions.create(model=model, messages=messages, tools=tools)
            with self.completions.stream(model=model, messages=messages, tools=tools) as events:
                return events.get_final_completion()

        message = ask().choices[0].message
        messages.append(message.model_dump(exclude_none=True, include={"role", "content", "tool_calls"}))
        for call in message.tool_calls:
            content = answer(json.loads(call.function.arguments)["echo"])
            messages.append({"role": "tool", "tool_call_id": call.id, "content": content})
        return ask().choices[0].message.content

    def structured(self, model, messages):
        completion = self.completions.parse(model=model, messages=messages, response_format=Form)
        return completion.choices[0].message.parsed.model_dump()


class Responses:
    def __init__(self, url, key):
        self.responses = openai.OpenAI(base_url=f"{url}/v1", api_key=key, max_retries=0).responses

    def text(self, model, messages):
        return self.responses.create(model=model, input=messages).output_text

    def stream(self, model, messages):
        for event in self.responses.create(model=model, input=messages, stream=True):
            if event.type == "response.output_text.delta":
                say(text=event.delta)

    def tool(self, model, messages, stream):
        tools = [{"type": "function", "name": "repeat", "parameters": PARAMETERS, "strict": True}]

        def ask():
            if not stream:
                return self.responses.create(model=model, input=messages, tools=tools)
            with self.responses.stream(model=model, input=messages, tools=tools) as events:
                return events.get_final_response()

        for item in ask().output:
            call = {"type": "function_call", "call_id": item.call_id, "name": item.name}
            messages.append({**call, "arguments": item.arguments})
            output = answer(json.loads(item.arguments)["echo"])
            messages.append({"type": "function_call_output", "call_id": item.call_id, "output": output})
        return ask().output_text

    def structured(self, model, messages):
        return self.responses.parse(model=model, input=messages, text_format=Form).output_parsed.model_dump()


class Messages:
    def __init__(self, url, key):
        self.messages = anthropic.Anthropic(base_url=url, api_key=key, max_retries=0).messages

    def text(self, model, messages):
        return texts(self.messages.create(model=model, max_tokens=1000, messages=messages))

    def stream(self, model, messages):
        with self.messages.stream(model=model, max_tokens=1000, messages=messages) as events:
            for text in events.text_stream:
                say(text=text)

    def tool(self, model, messages, stream):
        tools = [{"name": "repeat", "input_schema": PARAMETERS}]
        body = {"model": model, "max_tokens": 1000, "messages": messages, "tools": tools}

        def ask():
            if not stream:
                return self.messages.create(**body)
            with self.messages.stream(**body) as events:
                return events.get_final_message()

        content = ask().content
        results = [
            {"type": "tool_result", "tool_use_id": block.id, "content": answer(block.input["echo"])}
            for block in content
            if block.type == "tool_use"
        ]
        messages += [{"role": "assistant", "content": content}, {"role": "user", "content": results}]
        return texts(ask())

    def structured(self, model, messages):
        message = self.messages.parse(
            model=model, max_tokens=1000, messages=messages, output_format=Form
        )
        return message.parsed_output.model_dump()


def texts(message):
    return "".join(block.text for block in message.content if block.type == "text")


CLIENTS = {"openai-chat": Chat, "openai-responses": Responses, "anthropic-messages": Messages}


def main():
    for line in iter(sys.stdin.readline, ""):
        request = json.loads(line)
        try:
            client = CLIENTS[request["client"]](request["url"], request["apiKey"])
            arguments = [request["model"], [{"role": "user", "content": request["prompt"]}]]
            if request["method"] == "tool":
                arguments.append(request["stream"])
            say(result=getattr(client, request["method"])(*arguments))
        except Exception as error:  # Whatever it is, the test decides.
            classes = [f"{one.__module__.split('.')[0]}.{one.__name__}" for one in type(error).__mro__]
            say(error={"classes": classes, "message": str(error)})


main()
