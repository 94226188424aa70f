import { definePlugin } from "@vmx/core/contract";
import { parseKeys } from "./keys.ts";

/** Provides the encryption backend `aws-kms`. Nothing of AWS is loaded unless it is used. */
export default definePlugin({
  async activate(context) {
    const keys = parseKeys(String(context.config["keyId"]), "AWS_KMS_KEY_ID");
    const { createKeyService } = await import("./key-service.ts");
    const { createKmsEncryption } = await import("./encryption.ts");
    const region = context.config["region"];
    const service = createKeyService(typeof region === "string" ? { region } : {});
    context.onDispose(() => service.close());
    const encryption = createKmsEncryption({ keys, service, clock: context.clock });
    context.onDispose(() => encryption.forget());
    context.provide("encryptions", "aws-kms", encryption);
  },
});
