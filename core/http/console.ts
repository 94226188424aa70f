import type { Context, Middleware } from "koa";
import type { ConsoleFile, ConsoleFiles, ContentCoding } from "./console-files.ts";

/** What the browser may do with the console: its own files, calls to its own origin, nothing else. */
const contentSecurityPolicy = (styles: readonly string[]) =>
  [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    ...(styles.length > 0
      ? [`style-src-attr 'unsafe-hashes' ${styles.map((hash) => `'${hash}'`).join(" ")}`]
      : []),
    "img-src 'self' data: blob:",
    "font-src 'self'",
    "connect-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join("; ");

/**
 * Serves the console: its files, and its page for every path that begins like one of the console's. Other paths go on.
 *
 * @param files the built console; without it the console's paths say how to build it
 */
export function createConsole(files: ConsoleFiles | undefined): Middleware {
  const policy = contentSecurityPolicy(files?.styles ?? []);
  return async (context, next) => {
    if (context.method !== "GET" && context.method !== "HEAD") return await next();
    if (!files) return context.path === "/" ? sayHowToBuild(context, policy) : await next();
    const file = files.find(context.path);
    if (file && file !== files.page) return send(context, file, policy);
    const first = context.path.split("/")[1] ?? "";
    if (!files.segments.has(first)) return await next();
    send(context, files.page, policy);
  };
}

function send(context: Context, file: ConsoleFile, policy: string): void {
  const { bytes } = file;
  const codings: ContentCoding[] = [
    ...(bytes.br ? ["br" as const] : []),
    ...(bytes.gzip ? ["gzip" as const] : []),
    "identity",
  ];
  const coding = context.acceptsEncodings(...codings);
  const chosen: ContentCoding = codings.find((each) => each === coding) ?? "identity";
  context.set("content-security-policy", policy);
  context.vary("Accept-Encoding");
  context.set("etag", file.etag);
  context.set(
    "cache-control",
    file.immutable ? "public, max-age=31536000, immutable" : "no-cache",
  );
  context.status = 200;
  if (context.fresh) {
    context.status = 304;
    return;
  }
  if (chosen !== "identity") context.set("content-encoding", chosen);
  context.type = file.type;
  context.body = bytes[chosen] ?? bytes.identity;
}

function sayHowToBuild(context: Context, policy: string): void {
  context.set("content-security-policy", policy);
  context.set("cache-control", "no-store");
  context.status = 503;
  context.type = "text/plain; charset=utf-8";
  context.body =
    "The console is not built. Run `npm run build:console` and start the gateway again.\n" +
    "The management API is described at /api/docs.\n";
}
