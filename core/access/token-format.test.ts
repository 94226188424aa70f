import { expect, test } from "vitest";
import { createApiKeyValue } from "./api-key-format.ts";
import { maskApiKey } from "./token-format.ts";

test("of a key made here the mask shows 12 characters of the beginning and 4 of the end", () => {
  const value = createApiKeyValue();
  expect(maskApiKey(value)).toBe(`${value.slice(0, 12)}…${value.slice(-4)}`);
});

test("of a key somebody chose the mask shows the last 4 characters, and nothing of a short one", () => {
  expect(maskApiKey("my-company-gateway-key-0123456789-wxyz")).toBe("…wxyz");
  for (const short of ["", "key", "a-key-of-less-than-32-characters"]) {
    expect(maskApiKey(short.slice(0, 31))).toBe("…");
  }
  expect(maskApiKey("vmx_sk_short")).toBe("vmx_sk_…");
});
