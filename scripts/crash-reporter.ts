/**
 * Tells `npm test` of a test file that ended with its process instead of a
 * verdict. The WebRTC library can die of itself (docs/SECURITY.md), and then
 * nothing is known of the tests in its process; they are to run once more.
 * Two deaths in a run, or one where that library is not loaded, are faults.
 */
import { writeFileSync } from "node:fs";
import type { Reporter, SerializedError, TestModule } from "vitest/node";

/** The variable that names the file to write to: the test file's path, empty when anything else went wrong. */
export const CRASHED_FILE = "EVERFRAME_CRASHED_FILE";

/** Tests with peers of the library. */
const MEDIA = /packages\/server\/src\//;
const DEATH = "Worker exited unexpectedly";

export default class CrashReporter implements Reporter {
  onTestRunEnd(
    modules: ReadonlyArray<TestModule>,
    errors: ReadonlyArray<SerializedError>,
    reason: "passed" | "failed" | "interrupted",
  ): void {
    const path = process.env[CRASHED_FILE];
    if (path === undefined) return;
    const [crashed, ...others] = modules.filter((module) => module.state() === "pending");
    const [error, ...otherErrors] = errors;
    const isAlone = reason === "passed" && others.length === 0 && otherErrors.length === 0;
    const isMedia = error?.cause?.message === DEATH && MEDIA.test(crashed?.moduleId ?? "");
    writeFileSync(path, isAlone && isMedia ? crashed!.moduleId : "");
  }
}
