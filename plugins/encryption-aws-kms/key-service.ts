import {
  DecryptCommand,
  GenerateDataKeyCommand,
  KMSClient,
  type KMSClientConfig,
} from "@aws-sdk/client-kms";
import { GatewayError } from "@vmx/core/contract";
import { NodeHttpHandler } from "@smithy/node-http-handler";

/** What a data key is bound to; KMS writes it into its own audit trail. */
export type KeyContext = Readonly<Record<string, string>>;

/** Makes and unwraps data keys. */
export interface KeyService {
  /** Rejects with `ENCRYPTION_UNAVAILABLE`. */
  generate(keyId: string, context: KeyContext): Promise<{
    readonly plain: Uint8Array;
    readonly wrapped: Uint8Array;
  }>;
  /** Rejects with `ENCRYPTION_UNAVAILABLE`, or `credential_unavailable` when KMS refuses this very key. */
  unwrap(keyId: string, wrapped: Uint8Array, context: KeyContext): Promise<Uint8Array>;
  close(): void;
}

/** Where the service is, when the host's own settings do not tell. */
export interface KeyServiceSettings {
  readonly region?: string;
  readonly endpoint?: string;
  readonly credentials?: NonNullable<KMSClientConfig["credentials"]>;
  /** Milliseconds one attempt may take; 3 s when absent. */
  readonly timeoutMs?: number;
}

/** Attempts of a call: throttling and failures of KMS itself are tried again, with growing pauses in between. */
const maxAttempts = 4;

/** Refusals that another attempt would meet again: they are about the key or the value, not about the moment. */
const finalRefusals = new Set([
  "AccessDeniedException",
  "DisabledException",
  "IncorrectKeyException",
  "InvalidCiphertextException",
  "InvalidKeyUsageException",
  "KMSInvalidStateException",
  "NotFoundException",
  "ValidationException",
]);

/** KMS by the AWS SDK. The host's own settings and credentials are used; KMS is the operator's, not a tenant's. */
export function createKeyService(settings: KeyServiceSettings = {}): KeyService {
  const { timeoutMs = 3_000, ...rest } = settings;
  const clients = new Map<string, KMSClient>();

  function clientOf(keyId: string): KMSClient {
    const region = settings.region ?? /^arn:[^:]+:kms:([^:]+):/.exec(keyId)?.[1] ?? "";
    let client = clients.get(region);
    if (!client) {
      client = new KMSClient({
        ...rest,
        ...(region === "" ? {} : { region }),
        maxAttempts,
        // HTTP/1.1: the SDK's default speaks HTTP/2, which plain HTTP endpoints refuse.
        requestHandler: new NodeHttpHandler({
          connectionTimeout: timeoutMs,
          requestTimeout: timeoutMs,
          throwOnRequestTimeout: true,
        }),
      });
      clients.set(region, client);
    }
    return client;
  }

  return {
    async generate(keyId, context) {
      try {
        const { Plaintext, CiphertextBlob } = await clientOf(keyId).send(
          new GenerateDataKeyCommand({
            KeyId: keyId,
            KeySpec: "AES_256",
            EncryptionContext: { ...context },
          }),
        );
        return { plain: Plaintext!, wrapped: CiphertextBlob! };
      } catch (error) {
        throw unavailable("ENCRYPTION_UNAVAILABLE", "make a data key", error);
      }
    },

    async unwrap(keyId, wrapped, context) {
      try {
        const { Plaintext } = await clientOf(keyId).send(
          new DecryptCommand({
            KeyId: keyId,
            CiphertextBlob: wrapped,
            EncryptionContext: { ...context },
          }),
        );
        return Plaintext!;
      } catch (error) {
        const isFinal = error instanceof Error && finalRefusals.has(error.name);
        const code = isFinal ? "credential_unavailable" : "ENCRYPTION_UNAVAILABLE";
        throw unavailable(code, "open a data key", error);
      }
    },

    close() {
      for (const client of clients.values()) client.destroy();
      clients.clear();
    },
  };
}

/** Only the kind of failure is told: messages of KMS name accounts and keys. */
function unavailable(
  code: "ENCRYPTION_UNAVAILABLE" | "credential_unavailable",
  what: string,
  cause: unknown,
): GatewayError {
  const kind = cause instanceof Error ? cause.name : "unknown failure";
  return new GatewayError(code, `Cannot ${what}: KMS failed with ${kind}`, { cause });
}
