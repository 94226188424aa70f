import { definePlugin } from "@vmx/core/contract";
import { settingsOf } from "./settings.ts";

/** Provides the identity provider `oidc`. The library is loaded when somebody first asks how to sign in. */
export default definePlugin({
  async activate(context) {
    const { createOidcProvider } = await import("./oidc.ts");
    const { fetch, signal } = context;
    const provider = createOidcProvider(settingsOf(context.config), { fetch, signal });
    context.provide("identityProviders", "oidc", provider);
  },
});
