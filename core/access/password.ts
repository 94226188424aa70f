import { hash, parseOptions, verify } from "@node-rs/argon2";
import { GatewayError } from "../contract/errors.ts";

// argon2id is the library's default algorithm; its constant lives in an ambient enum that stripping cannot read.
const parameters = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;

/** Hashes and checks passwords with argon2id (19 MiB, 2 passes, 1 lane). */
export interface Passwords {
  /** Answers the hash in PHC form. */
  hash(password: string): Promise<string>;
  /** Checks a password; without a hash it takes the same time and answers false. */
  verify(passwordHash: string | null | undefined, password: string): Promise<boolean>;
  /** Whether a hash was made with weaker parameters than today's. */
  isOutdated(passwordHash: string): boolean;
}

/**
 * Each computation takes 19 MiB and a core, so only a few run at once and a bounded number waits; beyond that
 * `TOO_MANY_REQUESTS` is thrown.
 */
export function createPasswords({ atOnce = 2, waiting = 64 } = {}): Passwords {
  const turns = createTurns(atOnce, waiting);
  let dummy: Promise<string> | undefined;
  return {
    hash: (password) => turns(() => hash(password, parameters)),
    async verify(passwordHash, password) {
      dummy ??= turns(() => hash("no user has this password", parameters));
      const stand = passwordHash ?? await dummy;
      const matches = await turns(() => verify(stand, password));
      return matches && typeof passwordHash === "string";
    },
    isOutdated(passwordHash) {
      const { memoryCost, timeCost, parallelism } = parseOptions(passwordHash);
      return memoryCost < parameters.memoryCost || timeCost < parameters.timeCost ||
        parallelism !== parameters.parallelism;
    },
  };
}

function createTurns(atOnce: number, waiting: number) {
  let running = 0;
  const queue: (() => void)[] = [];
  return async <Result>(work: () => Promise<Result>): Promise<Result> => {
    if (running >= atOnce) {
      if (queue.length >= waiting) {
        throw new GatewayError("TOO_MANY_REQUESTS", "Too many logins at once: try again shortly", {
          retryAfterSeconds: 5,
        });
      }
      await new Promise<void>((resolve) => queue.push(resolve));
    } else running++;
    try {
      return await work();
    } finally {
      const next = queue.shift();
      if (next) next();
      else running--;
    }
  };
}
