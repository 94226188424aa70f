import type { Console } from "./console.ts";

/** A request to the data plane, with a key of its own. */
export type Send = (model: string, body?: Readonly<Record<string, unknown>>) => Promise<Response>;

/** Makes an API key and answers how to send requests with it. */
export async function makeSender(console: Console, name: string): Promise<Send> {
  const key = await (await console.call("POST", `${console.apiPath}/api-keys`, { name })).json();
  return (model, body = {}) =>
    fetch(`${console.url}/v1/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${key.value}`, "content-type": "application/json" },
      body: JSON.stringify({
        model,
        messages: [{ role: "user", content: "Say hello to everybody." }],
        ...body,
      }),
    });
}

/**
 * Sends requests that end in different ways, with stored markup where a caller can put some, and shares a limited
 * connection between two pools.
 *
 * @returns id of a request that fell back
 */
export async function sendRequests(console: Console, markup: string): Promise<string> {
  const { call, apiPath } = console;
  const { data: [echo] } = await (await call("GET", `${apiPath}/ai-connections?name=echo`)).json();
  await call("PATCH", `${apiPath}/ai-connections/${echo.connectionId}`, {
    capacity: [{ period: "minute", requests: 1_000, tokens: 100_000 }],
  });
  const slot = { connectionId: echo.connectionId, model: "echo" };
  const failing = await (await call("POST", `${apiPath}/ai-resources`, {
    name: "falls back",
    model: { ...slot, model: "echo-status-503" },
    fallbackModels: [{ ...slot, model: "echo-slow-100ms" }],
  })).json();
  const limited = await (await call("POST", `${apiPath}/ai-resources`, {
    name: "limited",
    model: slot,
    enforceCapacity: true,
    capacity: [{ period: "day", requests: 2 }],
  })).json();
  await call("PUT", `${apiPath}/pool-definition`, {
    definition: [
      {
        name: markup.slice(0, 60),
        rank: 0,
        resources: [failing.resourceId],
        minReservation: 20,
        maxReservation: 100,
      },
      {
        name: "later",
        rank: 1,
        resources: [limited.resourceId],
        minReservation: 0,
        maxReservation: 50,
      },
    ],
  });
  const send = await makeSender(console, "traffic");
  const envelope = {
    messages: [{ role: "user", content: markup }],
    vmx: { correlationId: markup, metadata: { tier: "gold" } },
  };
  for (let count = 0; count < 4; count++) {
    await (await send("falls back", { ...envelope, stream: count % 2 === 0 })).text();
    await (await send("limited", envelope)).text();
  }
  const last = await send("falls back", envelope);
  await last.text();
  const requestId = last.headers.get("x-vmx-request-id")!;
  for (let tries = 0; tries < 50; tries++) {
    if ((await call("GET", `${apiPath}/audit/${requestId}`)).ok) return requestId;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error("The request never came into the audit");
}
