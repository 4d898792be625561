/**
 * Tells `npm test` which test files ended with their process instead of a
 * verdict. The WebRTC library can die of itself (docs/SECURITY.md), and then
 * nothing is known of the tests in its process; they are to run once more.
 */
import { writeFileSync } from "node:fs";
import type { Reporter, SerializedError, TestModule } from "vitest/node";

/** The variable that names the file to write to: a JSON list of paths, empty when anything else went wrong. */
export const CRASHED_FILES = "EVERFRAME_CRASHED_FILES";

const DEATH = "Worker exited unexpectedly";

export default class CrashReporter implements Reporter {
  onTestRunEnd(
    modules: ReadonlyArray<TestModule>,
    errors: ReadonlyArray<SerializedError>,
    reason: "passed" | "failed" | "interrupted",
  ): void {
    const path = process.env[CRASHED_FILES];
    if (path === undefined) return;
    const crashed = modules.filter((module) => module.state() === "pending").map(({ moduleId }) => moduleId);
    const isExplained = reason === "passed" && errors.every(({ cause }) => cause?.message === DEATH);
    writeFileSync(path, JSON.stringify(isExplained && crashed.length <= errors.length ? crashed : []));
  }
}
