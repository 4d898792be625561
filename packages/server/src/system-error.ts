/** What the operating system says of a call that failed: a code such as "ENOENT" (errno(3)). */

/** Whether an error has one of the codes. */
export function hasCode(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && "code" in error && codes.includes(String(error.code));
}
