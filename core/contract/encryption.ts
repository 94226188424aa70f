/**
 * Seals secrets at rest. A sealed value is text that begins with `<id of the backend>:<key version>:`; it opens
 * only with the context it was sealed with.
 */
export interface Encryption {
  /** Version of the key that seals new values. */
  readonly keyVersion: number;
  /** Rejects with `ENCRYPTION_UNAVAILABLE` when the backend cannot be reached. */
  seal(plain: Uint8Array, context: SealContext): Promise<string>;
  /** Rejects with `ENCRYPTION_UNAVAILABLE`, or `credential_unavailable` when the value is damaged or moved. */
  open(sealed: string, context: SealContext): Promise<Uint8Array>;
  /** Seals a value anew under the newest key; answers it unchanged when it is already. */
  rewrap(sealed: string, context: SealContext): Promise<string>;
  /** Key version of a sealed value, or undefined when this backend did not make it. */
  versionOf(sealed: string): number | undefined;
  /** Versions this backend can open. */
  readonly keyVersions: readonly number[];
  /**
   * A value every start can check: proves that the key under a version is still the same key.
   * Answers a fingerprint that does not reveal the key.
   */
  fingerprint(version: number): string;
}

/** Where a sealed value lives. */
export interface SealContext {
  /** Environment id, or `installation`. */
  readonly environment: string;
  /** What owns the value, such as a connection id. */
  readonly owner: string;
  /** Dotted path of the field, such as `apiKey`. */
  readonly field: string;
}
