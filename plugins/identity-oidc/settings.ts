import { Secret } from "@vmx/core/kit";

/** The plugin's settings, read. */
export interface OidcSettings {
  readonly issuer: URL;
  readonly clientId: string;
  /** Absent for a public client. */
  readonly clientSecret: Secret | undefined;
  readonly scope: string;
  readonly label: string;
}

/** Reads settings that the schema has checked. */
export function settingsOf(config: Readonly<Record<string, unknown>>): OidcSettings {
  const issuer = new URL(String(config["issuer"]));
  const { clientSecret, label } = config;
  return {
    issuer,
    clientId: String(config["clientId"]),
    clientSecret: clientSecret instanceof Secret ? clientSecret : undefined,
    scope: String(config["scope"] ?? "openid profile email"),
    label: typeof label === "string" ? label : issuer.host,
  };
}
