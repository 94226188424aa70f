/** Who may do what: principals, sessions, tokens, policies, login. */
export * from "./actions.ts";
export * from "./api-key-format.ts";
export * from "./authenticate.ts";
export * from "./authorize.ts";
export * from "./default-roles.ts";
export * from "./escalation.ts";
export * from "./login-throttle.ts";
export * from "./login.ts";
export * from "./password-rules.ts";
export * from "./password.ts";
export * from "./policy.ts";
export * from "./principal.ts";
export * from "./resource.ts";
export * from "./sessions.ts";
export * from "./token-format.ts";
