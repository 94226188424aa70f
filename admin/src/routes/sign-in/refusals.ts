const refusals: Readonly<Record<string, string>> = {
  OIDC_NOT_CONFIGURED: "Signing in with an identity provider is not set up here.",
  OIDC_RESPONSE_ERROR:
    "The identity provider did not answer as it should, or not at all. Try again in a moment; if it stays so, an administrator finds the reason under Identity.",
  OIDC_EMAIL_NOT_AVAILABLE:
    "Your account at the identity provider has no verified email address, and one is needed here.",
  OIDC_EMAIL_MISMATCH:
    "Another user here has the email address of your account. An administrator can sort it out.",
  USER_INACTIVE: "Your user here is inactive. An administrator can activate it.",
  TOO_MANY_REQUESTS: "Too many sign-ins were begun. Wait a minute, then try again.",
};

/** Why a federated sign-in was refused, for people; a code nobody has words for is named. */
export function refusalText(code: string): string {
  return refusals[code] ?? `The sign-in was not accepted (${code}).`;
}
