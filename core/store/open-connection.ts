import { valueAt, withValueAt } from "../host/configuration-schema.ts";
import type { Secret } from "../kit/secret.ts";
import type { OpenSecret, SecretContext } from "./snapshot.ts";

/** Dotted paths of the secret fields of a provider's configuration, such as `apiKey`; see `secretPaths`. */
export type SecretFields = (
  provider: string,
  config: Readonly<Record<string, unknown>>,
) => readonly string[];

/** What is needed to open a connection's secrets. */
export interface SealedConnection {
  readonly connectionId: string;
  readonly environmentId: string;
  readonly provider: string;
  readonly config: Readonly<Record<string, unknown>>;
}

/** A configuration whose secret fields are `Secret` values, or why there is none. */
export type OpenedConnection =
  | { readonly config: Readonly<Record<string, unknown>> }
  | { readonly config: undefined; readonly credentialError: string };

/** Opens connections and remembers each ciphertext it opened, so that only a changed one costs a call. */
export interface ConnectionOpener {
  /** Never rejects: a failure becomes `credentialError`. */
  open(connection: SealedConnection): Promise<OpenedConnection>;
  forget(connectionId: string): void;
}

/** Creates an opener. An answer that takes longer than `timeoutMs` counts as a failure. */
export function createConnectionOpener(
  openSecret: OpenSecret,
  secretFields: SecretFields,
  timeoutMs: number,
): ConnectionOpener {
  const known = new Map<string, Map<string, { sealed: string; secret: Secret }>>();

  async function openField(sealed: unknown, context: SecretContext): Promise<Secret> {
    if (typeof sealed !== "string") throw new Error("its value is not a sealed text");
    const remembered = known.get(context.connectionId)?.get(context.field);
    if (remembered?.sealed === sealed) return remembered.secret;
    const secret = await within(timeoutMs, openSecret(sealed, context));
    const fields = known.get(context.connectionId) ?? new Map();
    known.set(context.connectionId, fields.set(context.field, { sealed, secret }));
    return secret;
  }

  return {
    async open({ connectionId, environmentId, provider, config }) {
      let field = "";
      try {
        let opened: Readonly<Record<string, unknown>> = config;
        for (field of secretFields(provider, config)) {
          const sealed = valueAt(config, field);
          if (sealed === undefined || sealed === null) continue;
          const secret = await openField(sealed, { environmentId, connectionId, field });
          opened = withValueAt(opened, field, secret);
        }
        return { config: opened };
      } catch (error) {
        const reason = error instanceof Error ? error.message : "unknown failure";
        return { config: undefined, credentialError: `Cannot open secret "${field}": ${reason}` };
      }
    },
    forget: (connectionId) => void known.delete(connectionId),
  };
}

function within<Value>(timeoutMs: number, promise: Promise<Value>): Promise<Value> {
  let timer: ReturnType<typeof setTimeout>;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
