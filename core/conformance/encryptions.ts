import { deepEqual, doesNotMatch, equal, notEqual, ok, rejects } from "node:assert/strict";
import type { Encryption, SealContext } from "../contract/encryption.ts";
import { GatewayError } from "../contract/errors.ts";
import type { Case } from "./case.ts";

/** What the suite needs of an encryption backend. */
export interface EncryptionSubject {
  /** A backend with one fixed key ring: two calls must understand each other. */
  create(): Promise<Encryption>;
  /** The same ring with one newer key. */
  createRotated(): Promise<Encryption>;
}

const context: SealContext = { environment: "env-1", owner: "connection-1", field: "apiKey" };
const canary = "sk-canary-0123456789";
const canaryBytes = new TextEncoder().encode(canary);

/** What every `Encryption` must do. */
export function encryptionCases(subject: EncryptionSubject): readonly Case[] {
  const refusals = (sealed: (text: string) => Iterable<readonly [string, string]>) => async () => {
    const encryption = await subject.create();
    for (const [what, text] of sealed(await encryption.seal(canaryBytes, context))) {
      await rejects(encryption.open(text, context), isUnavailable, what);
    }
  };
  return [
    {
      name: "gives back every byte that was sealed",
      async run() {
        const encryption = await subject.create();
        const every = Uint8Array.from({ length: 65_536 }, (_, at) => at & 255);
        for (const plain of [new Uint8Array(), new Uint8Array(1), canaryBytes, every]) {
          const opened = await encryption.open(await encryption.seal(plain, context), context);
          equal(Buffer.compare(opened, plain), 0);
        }
      },
    },
    {
      name: "opens in another process what one sealed",
      async run() {
        const sealed = await (await subject.create()).seal(canaryBytes, context);
        deepEqual(text(await (await subject.create()).open(sealed, context)), canary);
      },
    },
    {
      name: "seals one value to a different text each time, in plain ASCII, without a trace of it",
      async run() {
        const encryption = await subject.create();
        const first = await encryption.seal(canaryBytes, context);
        notEqual(first, await encryption.seal(canaryBytes, context));
        ok(/^[\x21-\x7e]+$/.test(first));
        doesNotMatch(first, /canary/);
        ok(!first.includes(Buffer.from(canary).toString("base64url").slice(4, 20)));
      },
    },
    {
      name: "does not open a value in another environment, for another owner or in another field",
      async run() {
        const encryption = await subject.create();
        const sealed = await encryption.seal(canaryBytes, context);
        for (const member of ["environment", "owner", "field"] as const) {
          const moved = { ...context, [member]: `${context[member]}x` };
          await rejects(encryption.open(sealed, moved), isUnavailable, member);
        }
      },
    },
    {
      name: "keeps apart contexts whose joined texts are equal",
      async run() {
        const encryption = await subject.create();
        const sealed = await encryption.seal(canaryBytes, {
          environment: "a",
          owner: "b:c",
          field: "d",
        });
        for (
          const [environment, owner, field] of [["a:b", "c", "d"], ["a", "b", "c:d"], [
            "ab:c",
            "",
            "d",
          ]]
        ) {
          const other = { environment: environment!, owner: owner!, field: field! };
          await rejects(encryption.open(sealed, other), isUnavailable);
        }
      },
    },
    {
      name: "refuses a value changed in any place",
      run: refusals(function* (sealed) {
        for (let at = 0; at < sealed.length; at++) {
          const changed = sealed[at] === "A" ? "B" : "A";
          yield [`position ${at}`, sealed.slice(0, at) + changed + sealed.slice(at + 1)];
        }
      }),
    },
    {
      name: "refuses cut, lengthened, empty and foreign texts",
      run: refusals((sealed) => [
        ["empty", ""],
        ["cut", sealed.slice(0, -1)],
        ["cut in half", sealed.slice(0, sealed.length / 2)],
        ["lengthened", `${sealed}A`],
        ["doubled", sealed + sealed],
        ["plain text", canary],
        ["another backend", `other${sealed}`],
      ]),
    },
    {
      name: "begins a sealed text with the backend's id and the key version",
      async run() {
        const encryption = await subject.create();
        const sealed = await encryption.seal(canaryBytes, context);
        equal(/^[a-z][a-z0-9-]*:([0-9]+):/.exec(sealed)?.[1], String(encryption.keyVersion));
      },
    },
    {
      name: "tells the key version of its own values and nothing about others",
      async run() {
        const encryption = await subject.create();
        const sealed = await encryption.seal(canaryBytes, context);
        equal(encryption.versionOf(sealed), encryption.keyVersion);
        for (const foreign of ["", canary, `other:${sealed}`]) {
          equal(encryption.versionOf(foreign), undefined);
        }
      },
    },
    {
      name: "seals with a version it can open",
      async run() {
        const encryption = await subject.create();
        ok(encryption.keyVersions.includes(encryption.keyVersion));
        equal(new Set(encryption.keyVersions).size, encryption.keyVersions.length);
      },
    },
    {
      name: "has one fingerprint per key, the same in every process",
      async run() {
        const [one, other, rotated] = await Promise.all([
          subject.create(),
          subject.create(),
          subject.createRotated(),
        ]);
        equal(one.fingerprint(one.keyVersion), other.fingerprint(one.keyVersion));
        equal(one.fingerprint(one.keyVersion), rotated.fingerprint(one.keyVersion));
        notEqual(one.fingerprint(one.keyVersion), rotated.fingerprint(rotated.keyVersion));
      },
    },
    {
      name: "opens old values after rotation and seals new ones with the new key",
      async run() {
        const [old, rotated] = await Promise.all([subject.create(), subject.createRotated()]);
        const sealed = await old.seal(canaryBytes, context);
        equal(text(await rotated.open(sealed, context)), canary);
        ok(rotated.keyVersion > old.keyVersion);
        equal(rotated.versionOf(await rotated.seal(canaryBytes, context)), rotated.keyVersion);
      },
    },
    {
      name: "refuses a value of a key it does not have",
      async run() {
        const [old, rotated] = await Promise.all([subject.create(), subject.createRotated()]);
        await rejects(old.open(await rotated.seal(canaryBytes, context), context), isUnavailable);
      },
    },
    {
      name: "rewraps old values under the newest key and leaves new ones as they are",
      async run() {
        const [old, rotated] = await Promise.all([subject.create(), subject.createRotated()]);
        const rewrapped = await rotated.rewrap(await old.seal(canaryBytes, context), context);
        equal(rotated.versionOf(rewrapped), rotated.keyVersion);
        equal(text(await rotated.open(rewrapped, context)), canary);
        equal(await rotated.rewrap(rewrapped, context), rewrapped);
      },
    },
    {
      name: "does not rewrap a value of another place",
      async run() {
        const [old, rotated] = await Promise.all([subject.create(), subject.createRotated()]);
        const sealed = await old.seal(canaryBytes, context);
        await rejects(rotated.rewrap(sealed, { ...context, owner: "else" }), isUnavailable);
      },
    },
  ];
}

function isUnavailable(error: unknown): boolean {
  ok(error instanceof GatewayError, String(error));
  equal(error.code, "credential_unavailable");
  doesNotMatch(error.message, /canary/);
  return true;
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
