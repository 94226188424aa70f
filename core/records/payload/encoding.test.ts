import { expect, test } from "vitest";
import { decodePayload, encodePayload } from "./encoding.ts";

for (
  const [size, encoding] of [
    [10, "json"],
    [1_500, "gzip"],
    [8_500, "zstd"],
    [200_000, "zstd"],
  ] as const
) {
  test(`a document of ${size} characters is kept as ${encoding}, and comes back as it was`, async () => {
    const document = { text: "zwölf Boxkämpfer jagen ".repeat(size / 20).slice(0, size) };
    const packed = await encodePayload(JSON.stringify(document));
    expect(packed.encoding).toBe(encoding);
    if (encoding !== "json") expect(packed.bytes.length).toBeLessThan(size / 4);
    expect(await decodePayload(packed.encoding, packed.bytes)).toEqual(document);
  });
}

test("bytes that are not what their encoding says are refused", async () => {
  for (const encoding of ["gzip", "zstd", "json"]) {
    await expect(decodePayload(encoding, Buffer.from("no such thing"))).rejects.toThrow();
  }
});
