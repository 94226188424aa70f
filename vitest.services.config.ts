import { defineConfig } from "vitest/config";

for (const name of ["VMX_TEST_DATABASE_URL", "VMX_TEST_REDIS_URL"]) {
  if (!process.env[name]) {
    throw new Error(`Cannot run the service tests: ${name} is not set (see docs/development.md)`);
  }
}

/** `npm run test:services`: tests against a PostgreSQL and a Redis that are already running. */
export default defineConfig({
  test: {
    include: ["{schemas,core,plugins,deploy,bench}/**/*.services.test.ts"],
    exclude: ["**/node_modules/**"],
    pool: "forks",
    // One file at a time: they share the services.
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
