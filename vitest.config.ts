import { defineConfig } from "vitest/config";

/** `npm test`: everything that needs no service. With `--mode long`: the tests that take minutes. */
export default defineConfig(({ mode }) => {
  const long = mode === "long";
  return {
    test: {
      include: [`{schemas,core,sdk,plugins,deploy,bench,admin}/**/*.${long ? "long." : ""}test.ts`],
      exclude: [
        "**/node_modules/**",
        "**/*.services.test.ts",
        ...(long ? [] : ["**/*.long.test.ts"]),
      ],
      // A process for each file: tests start servers, set variables and watch for leaks.
      pool: "forks",
      maxWorkers: 2,
      testTimeout: long ? 600_000 : 20_000,
      // The first start of an embedded database on a busy machine.
      hookTimeout: 60_000,
    },
  };
});
