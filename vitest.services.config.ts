import { defineConfig } from "vitest/config";

for (const name of ["VMX_TEST_DATABASE_URL", "VMX_TEST_REDIS_URL"]) {
  if (!process.env[name]) {
    throw new Error(`Cannot run the service tests: ${name} is not set (see docs/development.md)`);
  }
}

/**
 * `npm run test:services`: tests against a PostgreSQL and a Redis that are already running, and those of unmodified
 * clients, which need a Python.
 */
export default defineConfig({
  test: {
    include: ["{schemas,core,sdk,plugins,deploy,bench,clients,admin}/**/*.services.test.ts"],
    exclude: ["**/node_modules/**"],
    pool: "forks",
    // The client libraries under test send nothing to their makers.
    env: {
      LANGSMITH_TRACING: "false",
      LANGCHAIN_TRACING_V2: "false",
      OPENAI_AGENTS_DISABLE_TRACING: "1",
    },
    // One file at a time: they share the services.
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
