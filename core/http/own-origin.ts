import type { IsTrusted } from "./source-address.ts";

/** Tells the origin under which a browser reached the gateway, such as `https://vmx.example`. */
export type OwnOrigin = (
  headers: Readonly<Record<string, string | undefined>>,
  /** Address of the other end of the connection. */
  peer: string | undefined,
) => string;

/**
 * `VMX_PUBLIC_URL` tells it when it is set. Otherwise the Host header does, and `X-Forwarded-Proto` and `-Host` when a
 * trusted proxy sent them.
 */
export function createOwnOrigin(publicUrl: string | undefined, isTrusted: IsTrusted): OwnOrigin {
  if (publicUrl !== undefined) {
    const origin = new URL(publicUrl).origin;
    return () => origin;
  }
  return (headers, peer) => {
    const forwarded = peer !== undefined && isTrusted(peer);
    const host = (forwarded ? nearest(headers["x-forwarded-host"]) : undefined) ?? headers["host"];
    const scheme = forwarded && nearest(headers["x-forwarded-proto"])?.toLowerCase() === "https"
      ? "https"
      : "http";
    const origin = URL.parse(`${scheme}://${host ?? "localhost"}`);
    // A name that is more than a name, such as `evil:x@good`, is nobody's.
    const isPlain = origin !== null && origin.username === "" && origin.password === "" &&
      origin.pathname === "/" && origin.search === "" && origin.hash === "";
    return isPlain ? origin.origin : "http://localhost";
  };
}

/** What the proxy next to us wrote: earlier entries come from further away. */
function nearest(header: string | undefined): string | undefined {
  return header?.split(",").at(-1)?.trim() || undefined;
}
