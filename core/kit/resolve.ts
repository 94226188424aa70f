import { lookup, type LookupAddress } from "node:dns";

/** Resolves a name to all its addresses. */
export type Resolve = (hostname: string, done: ResolveDone) => void;

/** Receives the addresses of a name. */
export type ResolveDone = (
  error: NodeJS.ErrnoException | null,
  addresses: readonly LookupAddress[],
) => void;

/**
 * Resolves through the system, asking once for a name that many connections want at the same time: the system's
 * resolver works on a few threads that files need as well.
 */
export function createSystemResolver(ask: Resolve = askSystem): Resolve {
  const waiting = new Map<string, ResolveDone[]>();
  return (hostname, done) => {
    const others = waiting.get(hostname);
    if (others !== undefined) {
      others.push(done);
      return;
    }
    const all = [done];
    waiting.set(hostname, all);
    ask(hostname, (error, addresses) => {
      waiting.delete(hostname);
      for (const each of all) each(error, addresses);
    });
  };
}

function askSystem(hostname: string, done: ResolveDone): void {
  lookup(hostname, { all: true, verbatim: true }, done);
}
