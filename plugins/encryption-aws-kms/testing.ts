import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";
import { GatewayError } from "@vmx/core/contract";
import type { KeyContext, KeyService } from "./key-service.ts";

/** A key service in memory: wraps as KMS does, and counts. */
export interface FakeKeyService extends KeyService {
  calls: number;
  /** While true, nothing is answered. */
  isAway: boolean;
}

/** Two services with one seed understand each other. */
export function createFakeKeyService(seed: string): FakeKeyService {
  const keyOf = (keyId: string) => Buffer.from(hkdfSync("sha256", seed, "", keyId, 32));
  const text = (context: KeyContext) => Buffer.from(JSON.stringify(Object.entries(context).sort()));
  const fake: FakeKeyService = {
    calls: 0,
    isAway: false,
    generate(keyId, context) {
      return call(() => {
        const plain = randomBytes(32);
        const iv = randomBytes(12);
        const cipher = createCipheriv("aes-256-gcm", keyOf(keyId), iv).setAAD(text(context));
        const content = Buffer.concat([cipher.update(plain), cipher.final()]);
        return { plain, wrapped: Buffer.concat([iv, content, cipher.getAuthTag()]) };
      });
    },
    unwrap(keyId, wrapped, context) {
      return call(() => {
        const decipher = createDecipheriv("aes-256-gcm", keyOf(keyId), wrapped.subarray(0, 12), {
          authTagLength: 16,
        });
        decipher.setAAD(text(context)).setAuthTag(wrapped.subarray(-16));
        return Buffer.concat([decipher.update(wrapped.subarray(12, -16)), decipher.final()]);
      });
    },
    close() {},
  };
  return fake;

  async function call<Result>(work: () => Result): Promise<Result> {
    fake.calls++;
    await Promise.resolve();
    if (fake.isAway) throw new GatewayError("ENCRYPTION_UNAVAILABLE", "Cannot reach the fake");
    try {
      return work();
    } catch (cause) {
      throw new GatewayError("credential_unavailable", "Cannot open a data key", { cause });
    }
  }
}
