// Prints "passed failed" of a Vitest JSON report. Plain JavaScript, so that any Node can run it.
// Usage: node count-vitest.mjs REPORT EXIT_CODE
import { existsSync, readFileSync } from "node:fs";

const [path, exitCode] = process.argv.slice(2);
const report = existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : { testResults: [] };
const passed = report.numPassedTests ?? 0;
// A file that cannot be loaded has no tests that could fail.
const broken =
  report.testResults.filter((file) =>
    file.status === "failed" && !file.assertionResults.some((test) => test.status === "failed")
  ).length;
let failed = (report.numFailedTests ?? 0) + broken;
// A run that ended badly, or ran nothing, failed whatever it counted.
if (failed === 0 && (exitCode !== "0" || passed === 0)) failed = 1;
console.log(passed, failed);
