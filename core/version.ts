import core from "./package.json" with { type: "json" };

/** Version of the gateway. */
export const version: string = core.version;

const oldestNode = 24;

/**
 * Checks the runtime. Answers a plain sentence when it is too old, else undefined.
 *
 * @param versions `process.versions`
 */
export function runtimeFault(
  versions: Readonly<Record<string, string | undefined>>,
): string | undefined {
  if (versions["deno"] !== undefined) return undefined;
  const node = versions["node"] ?? "unknown";
  if (Number.parseInt(node) >= oldestNode) return undefined;
  return `VM-X needs Node ${oldestNode} or newer; this is Node ${node}. ` +
    "Start it with `npm start`, which brings its own Node on Linux, or install Node 24.";
}
