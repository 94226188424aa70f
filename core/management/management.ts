import { type Access, createAccess } from "./access.ts";
import {
  answerProblem,
  answerRoute,
  type ManagementAnswer,
  type ManagementRequest,
} from "./answer.ts";
import { createManagementApi } from "./api.ts";
import { createFederation, type FederationSettings } from "./federation/federation.ts";
import { createReEncryption, type ReEncryption } from "./keys/re-encryption.ts";
import type { Route } from "./route.ts";
import type { HandlerServices, ManagementServices } from "./services.ts";
import { createValidation } from "./validation.ts";

/** The management plane, independent of what carries its requests. */
export interface ManagementPlane {
  readonly routes: readonly Route[];
  readonly openApi: Readonly<Record<string, unknown>>;
  readonly access: Access;
  readonly reEncryption: ReEncryption;
  /** Answers a request to one of the routes; never rejects. */
  answer(route: Route, request: ManagementRequest): Promise<ManagementAnswer>;
  /** Answers what went wrong before a route was found. */
  refuse(error: unknown, request: Pick<ManagementRequest, "path">): ManagementAnswer;
}

/** Creates the management plane. Nothing is read or written before the first request. */
export function createManagementPlane(services: ManagementServices): ManagementPlane {
  const access = createAccess(services);
  const { federated } = services.config;
  const federation = createFederation(services, federated?.provider, federated ?? nobody);
  const reEncryption = createReEncryption(services);
  const handlerServices: HandlerServices = {
    ...services,
    access,
    federation,
    reEncryption,
  };
  const validation = createValidation();
  const { routes, openApi } = createManagementApi(services.config.version);
  return {
    routes,
    openApi,
    access,
    reEncryption,
    answer: (route, request) => answerRoute(route, request, handlerServices, validation),
    refuse: (error, request) => answerProblem(error, request, undefined, handlerServices),
  };
}

/** Without a contribution these settings are never read. */
const nobody: FederationSettings = {
  defaultRole: "",
  roleClaim: undefined,
  roleMap: [],
  linkByEmail: false,
};
