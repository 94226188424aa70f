import { Vmx } from "@vmx/sdk";

/** The management API, called with the session of whoever is signed in. */
export const vmx = new Vmx({
  session: true,
  baseUrl: globalThis.location?.origin ?? "http://127.0.0.1",
});
