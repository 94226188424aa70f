/**
 * The contributions used when the operator names no other. The one place in core that knows a plugin by name.
 */
export const defaultContributions = {
  encryptions: "libsodium",
  capacityStores: "memory",
  sharedStates: "memory",
  prioritizations: "adaptive-token-scaling",
  identityProviders: "oidc",
  /** What answers the metrics port. */
  metrics: "prometheus",
} as const;

/** Dialect in which `vmx` writes a request down when it is given a text alone. */
export const promptDialect = "openai-chat";
