import { encryptionCases, runCases } from "@vmx/core/conformance";
import { createKmsEncryption } from "./encryption.ts";
import { parseKeys } from "./keys.ts";
import { createFakeKeyService } from "./testing.ts";

const clock = { monotonic: () => 0 };
const create = (keys: string) =>
  Promise.resolve(
    createKmsEncryption({
      keys: parseKeys(keys, "keys"),
      service: createFakeKeyService("one seed"),
      clock,
    }),
  );

await runCases(
  "encryption aws-kms",
  encryptionCases({
    create: () => create("alias/first"),
    createRotated: () => create("1:alias/first,2:alias/second"),
  }),
);
