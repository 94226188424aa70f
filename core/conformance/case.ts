/**
 * One requirement of a contract: its name says what must hold, `run` rejects when it does not.
 * Cases are plain data, so that any test runner can run them.
 */
export interface Case {
  readonly name: string;
  run(): void | Promise<void>;
  /** Why the case does not apply to this implementation. A skip without a reason does not exist. */
  readonly skip?: string;
}

/** Time a case may take, in milliseconds. */
const caseTimeoutMs = 20_000;

interface DenoTests {
  test(definition: {
    readonly name: string;
    readonly fn: () => void | Promise<void>;
    readonly ignore: boolean;
    readonly sanitizeOps: boolean;
    readonly sanitizeResources: boolean;
  }): void;
}

/**
 * Registers cases with the runner that is running: `deno test` or Vitest. Await it at the top of a test file.
 *
 * @example
 * await runCases("encryption libsodium", encryptionCases({ create }));
 */
export async function runCases(subject: string, cases: readonly Case[]): Promise<void> {
  const register = await registration();
  for (const each of cases) register(title(subject, each), each);
}

function title(subject: string, each: Case): string {
  const skipped = each.skip === undefined ? "" : ` (skipped: ${each.skip})`;
  return `${subject}: ${each.name}${skipped}`;
}

/** Where cases are put when no test runner runs, but a program that wants to run them itself. */
const collectorName = "__vmx_conformance_cases__";

/** A case with its subject in the title. */
export interface CollectedCase extends Case {
  readonly title: string;
}

/** Collects the cases that `register` passes to `runCases`, for a program that runs them itself. */
export async function collectCases(register: () => Promise<unknown>): Promise<CollectedCase[]> {
  const cases: CollectedCase[] = [];
  // A global, since the cases may come from another copy of this module.
  const global = globalThis as { [collectorName]?: CollectedCase[] };
  global[collectorName] = cases;
  try {
    await register();
  } finally {
    delete global[collectorName];
  }
  return cases;
}

async function registration(): Promise<(name: string, each: Case) => void> {
  const collector = (globalThis as { [collectorName]?: CollectedCase[] })[collectorName];
  if (collector) {
    return (title, each) => collector.push({ ...each, run: () => each.run(), title });
  }
  const deno = (globalThis as { Deno?: Partial<DenoTests> }).Deno;
  // Vitest can run on Deno too; there the worker's own marker decides.
  if (deno?.test !== undefined && !("__vitest_worker__" in globalThis)) {
    const { test } = deno as DenoTests;
    return (name, each) =>
      test({
        name,
        fn: () => each.run(),
        ignore: each.skip !== undefined,
        // Pools keep sockets and timers between cases on purpose.
        sanitizeOps: false,
        sanitizeResources: false,
      });
  }
  const { test } = await import("vitest");
  return (name, each) =>
    test.skipIf(each.skip !== undefined)(name, () => each.run(), caseTimeoutMs);
}
