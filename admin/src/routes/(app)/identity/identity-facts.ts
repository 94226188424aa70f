import type { System } from "@vmx/sdk";

const labels: Readonly<Record<string, string>> = {
  label: "Name on the sign-in page",
  issuer: "Issuer",
  clientId: "Client id",
  scopes: "Scopes",
  state: "Discovery",
  since: "Since",
  defaultRole: "Role of new people",
  roleClaim: "Claim with roles",
  roleMap: "Claim values and their roles",
  rolesClaim: "Claim with roles",
  linkByEmail: "Links accounts by email",
  localLogin: "Password sign-in stays possible",
};

/** What is known of federated login, as pairs of words; members a newer gateway adds keep their own name. */
export function identityFacts(oidc: System["oidc"]): readonly (readonly [string, string])[] {
  return Object.entries(oidc).flatMap(([name, value]): [string, string][] => {
    if (["enabled", "error", "discovery"].includes(name) || value === undefined || value === null) {
      return [];
    }
    return [[labels[name] ?? name, textOf(value)]];
  });
}

function textOf(value: unknown): string {
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (Array.isArray(value)) return value.map(textOf).join(" ");
  if (typeof value === "object" && value !== null) {
    return Object.entries(value).map(([from, to]) => `${from} → ${textOf(to)}`).join(", ");
  }
  return String(value);
}
