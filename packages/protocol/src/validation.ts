/**
 * From zod's findings to the 422 body that FastAPI gives
 * (https://fastapi.tiangolo.com/tutorial/handling-errors/): clients of the
 * original server read `detail[].loc` and `detail[].msg`.
 */
import type { z } from "zod";
import { ApiError, type ValidationIssue } from "./errors.ts";

/**
 * Reads `value` by `schema`.
 *
 * `loc` is where the value came from, such as `["body"]` or `["query"]`.
 * Throws `ApiError("invalid_request")` with one issue a bad field.
 */
export function parseRequest<T extends z.ZodType>(
  schema: T,
  value: unknown,
  loc: (string | number)[] = ["body"],
): z.output<T> {
  const result = schema.safeParse(value, { reportInput: true });
  if (result.success) return result.data;
  throw invalidRequest(issuesOf(result.error, loc));
}

/** An `invalid_request` error whose text sums up its issues. */
export function invalidRequest(issues: ValidationIssue[]): ApiError<"invalid_request"> {
  const reason = issues.map((issue) => `${issue.loc.join(".")}: ${issue.msg}`).join("; ");
  return new ApiError("invalid_request", { reason }, { issues });
}

/** Each finding of a zod error, its path behind `loc`. */
export function issuesOf(error: z.ZodError, loc: (string | number)[]): ValidationIssue[] {
  return error.issues.map((issue) => ({
    type: issueType(issue),
    loc: [...loc, ...issue.path.map((key) => (typeof key === "symbol" ? String(key) : key))],
    msg: isMissing(issue) ? "Field required" : issue.message,
    input: issue.input ?? null,
  }));
}

/** The findings as one sentence, without their places. */
export function reasonOf(error: z.ZodError): string {
  return error.issues
    .map((issue) => (issue.path.length === 0 ? issue.message : `${issue.path.join(".")}: ${issue.message}`))
    .join("; ");
}

function isMissing(issue: z.core.$ZodIssue): boolean {
  return (issue.code === "invalid_type" || issue.code === "invalid_value") && issue.input === undefined;
}

function issueType(issue: z.core.$ZodIssue): string {
  if (isMissing(issue)) return "missing";
  switch (issue.code) {
    case "invalid_type":
      return `${issue.expected}_type`;
    case "invalid_value":
      return "literal_error";
    case "too_small":
      return "greater_than_equal";
    case "too_big":
      return "less_than_equal";
    default:
      return "value_error";
  }
}
