import { encryptionCases, runCases } from "@vmx/core/conformance";
import { parseKeyRing } from "./key-ring.ts";
import { createLibsodiumEncryption } from "./libsodium.ts";

const first = "1:MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1ub3BxcnN0dXY=";
const second = "2:dnV0c3JxcG9ubWxramloZ2ZlZGNiYTk4NzY1NDMyMTA=";

await runCases(
  "encryption libsodium",
  encryptionCases({
    create: () => createLibsodiumEncryption(parseKeyRing(first, "ring")),
    createRotated: () => createLibsodiumEncryption(parseKeyRing(`${first},${second}`, "ring")),
  }),
);
