import { expect, test } from "vitest";
import { createServer } from "./server.ts";

test("what the service repeats of the password is not told", async () => {
  const echo: typeof fetch = (_url, init) => {
    const { authorization } = init!.headers as Record<string, string>;
    return Promise.resolve(new Response(`${authorization} is user:p@ss-word`, { status: 401 }));
  };
  const server = createServer("http://user:p%40ss-word@questdb:9000", echo);
  await expect(server.write("a line")).rejects.toThrow(
    "QuestDB answers 401: Basic [redacted] is user:[redacted]",
  );
});
