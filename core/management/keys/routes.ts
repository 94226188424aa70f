import { ReEncrypt, ReEncryption as ReEncryptionSchema } from "@vmx/schemas";
import { GatewayError } from "../../contract/errors.ts";
import { commit } from "../commit.ts";
import { defineRoute, type Route, type RouteContext } from "../route.ts";

const path = "/api/v1/system/re-encrypt";
const tag = "Installation";
const access = { action: "system:re-encrypt", resource: "system" };

/** Operations on the keys secrets are sealed with. */
export const keyRoutes: readonly Route[] = [
  defineRoute({
    method: "GET",
    path,
    operationId: "getReEncryption",
    summary: "Tells which keys stored secrets are sealed with, and how far re-encryption is",
    tag,
    access,
    answer: ReEncryptionSchema,
    problems: ["ENCRYPTION_UNAVAILABLE"],
    handler: present,
  }),

  defineRoute({
    method: "POST",
    path,
    operationId: "startReEncryption",
    summary:
      "Rewrites all stored secrets with the newest key in the background; goes on after a stop",
    tag,
    access,
    body: ReEncrypt,
    answer: ReEncryptionSchema,
    status: 202,
    problems: ["ENCRYPTION_UNAVAILABLE"],
    async handler(context) {
      const { services, actor, body } = context;
      const { backend, keyVersion } = await services.encryption();
      if (body.toKeyVersion !== keyVersion) {
        throw new GatewayError(
          "VALIDATION_FAILED",
          `Cannot re-encrypt with key version ${body.toKeyVersion}: the newest one is ${keyVersion}`,
          {
            faults: [{
              path: "/toKeyVersion",
              code: "newest",
              message: `must be the newest version, ${keyVersion}`,
            }],
          },
        );
      }
      await commit(context, async ({ em, record }) => {
        if (!await services.reEncryption.request(em, actor.userId)) return;
        const name = `key version ${keyVersion} of ${backend}`;
        record({ action: "system:re-encrypt", entity: { type: "system", id: "keys", name } });
      });
      await services.reEncryption.look();
      return await present(context);
    },
  }),
];

async function present({ services }: Pick<RouteContext, "services">) {
  const { backend, keyVersion, keyVersions } = await services.encryption();
  return {
    ...await services.reEncryption.progress(),
    backend,
    keyVersion,
    keyVersions: [...keyVersions],
  };
}
