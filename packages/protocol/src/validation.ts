/**
 * From zod's findings to the 422 body that FastAPI gives
 * (https://fastapi.tiangolo.com/tutorial/handling-errors/): clients of the
 * original server read `detail[].loc`, `detail[].msg` and `detail[].type`,
 * whose names are those of https://docs.pydantic.dev/latest/errors/validation_errors/.
 */
import type { z } from "zod";
import { ApiError, type ValidationIssue } from "./errors.ts";

type Issue = z.core.$ZodIssue;
type Loc = (string | number)[];

/**
 * Reads `value` by `schema`.
 *
 * `loc` is where the value came from, such as `["body"]` or `["query"]`.
 * Throws `ApiError("invalid_request")` with one issue a bad field.
 */
export function parseRequest<T extends z.ZodType>(schema: T, value: unknown, loc: Loc = ["body"]): z.output<T> {
  const result = schema.safeParse(value, { reportInput: true });
  if (result.success) return result.data;
  throw invalidRequest(issuesOf(result.error, loc));
}

/** An `invalid_request` error whose text sums up its issues. */
export function invalidRequest(issues: ValidationIssue[]): ApiError<"invalid_request"> {
  const reason = issues.map((issue) => `${issue.loc.join(".")}: ${issue.msg}`).join("; ");
  return new ApiError("invalid_request", { reason }, { issues });
}

/** Each finding of a zod error, its path behind `loc`; parse with `reportInput`. */
export function issuesOf(error: z.ZodError, loc: Loc): ValidationIssue[] {
  return error.issues.flatMap(innermost).map((issue) => {
    const { type, ctx } = nameOf(issue);
    return {
      type,
      loc: [...loc, ...issue.path.map((key) => (typeof key === "symbol" ? String(key) : key))],
      msg: type === "missing" ? "Field required" : issue.message,
      input: issue.input ?? null,
      ...(ctx === undefined ? {} : { ctx }),
    };
  });
}

/** The findings as one sentence, without the place of the whole. */
export function reasonOf(error: z.ZodError): string {
  return error.issues
    .flatMap(innermost)
    .map((issue) => (issue.path.length === 0 ? issue.message : `${issue.path.join(".")}: ${issue.message}`))
    .join("; ");
}

/** Of several forms that a value may have, the findings of the one that it was meant to be: the others fail as a whole. */
function innermost(issue: Issue): Issue[] {
  if (issue.code !== "invalid_union") return [issue];
  const meant = issue.errors.find((issues) =>
    issues.every((one) => one.path.length > 0 || one.code !== "invalid_type"),
  );
  if (meant === undefined || meant.length === 0) return [issue];
  return meant.flatMap((one) => innermost({ ...one, path: [...issue.path, ...one.path] } as Issue));
}

type Name = { type: string; ctx?: Record<string, unknown> };

function nameOf(issue: Issue): Name {
  switch (issue.code) {
    case "invalid_type":
      return { type: issue.input === undefined ? "missing" : wrongType(issue.expected, issue.input) };
    case "invalid_value":
      if (issue.input === undefined) return { type: "missing" };
      return { type: "literal_error", ctx: { expected: issue.values.map((one) => `'${String(one)}'`).join(" or ") } };
    case "too_small":
      return tooSmall(issue.origin, Number(issue.minimum));
    case "too_big":
      return tooBig(issue.origin, Number(issue.maximum));
    case "not_multiple_of":
      return { type: "multiple_of", ctx: { multiple_of: issue.divisor } };
    default:
      return { type: "value_error" };
  }
}

function wrongType(expected: string, input: unknown): string {
  switch (expected) {
    case "array":
      return "list_type";
    case "object":
      return "model_attributes_type";
    case "boolean":
      return "bool_type";
    case "int":
      return typeof input === "number" ? "int_from_float" : "int_type";
    case "number":
      return "float_type";
    default:
      return `${expected}_type`;
  }
}

function tooSmall(origin: string, least: number): Name {
  if (origin === "string") return { type: "string_too_short", ctx: { min_length: least } };
  if (origin === "array") return { type: "too_short", ctx: { min_length: least } };
  return { type: "greater_than_equal", ctx: { ge: least } };
}

function tooBig(origin: string, most: number): Name {
  if (origin === "string") return { type: "string_too_long", ctx: { max_length: most } };
  if (origin === "array") return { type: "too_long", ctx: { max_length: most } };
  return { type: "less_than_equal", ctx: { le: most } };
}
