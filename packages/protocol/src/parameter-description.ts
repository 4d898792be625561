/**
 * What is told about a parameter, live or of a load: enough for a client to
 * draw its control, and for a page of documentation. Type and range come
 * from the schema that validates it, so that they cannot differ.
 */
import { z } from "zod";

/** How a parameter is drawn. */
export const CONTROLS = [
  "slider",
  "number",
  "switch",
  "button",
  "choice",
  "prompts",
  "transition",
  "steps",
  "image",
  "images",
  "loras",
] as const;

const jsonSchema = z.record(z.string(), z.unknown()).describe("JSON Schema of the value");

export const parameterDescription = z.object({
  name: z.string().describe("Its name on the wire"),
  help: z.string(),
  control: z.enum(CONTROLS),
  allowed: z.string().describe("The range in words"),
  default: z.unknown().describe("null where it stays absent until it is sent"),
  when_absent: z.string().nullable().describe("What holds while it is absent, in words"),
  minimum: z.number().nullable(),
  maximum: z.number().nullable(),
  step: z.number().nullable().describe("A sensible step for a control"),
  choices: z.array(z.string()).nullable(),
  modes: z.array(z.enum(["text", "video"])).describe("The input modes in which it has an effect"),
  acts: z.enum(["load", "next chunk", "once", "at once", "never"]).describe("When it acts"),
  needs: z.enum(["vace", "loras"]).nullable().describe("What the load must have for it to act"),
  schema: jsonSchema,
});
export type ParameterDescription = z.infer<typeof parameterDescription>;

/** What the tables say of a parameter beside its name and schema. */
export type Described = {
  help: string;
  control: (typeof CONTROLS)[number];
  allowed: string;
  step?: number;
  modes?: readonly ("text" | "video")[];
  needs?: "vace" | "loras";
  whenAbsent?: string;
};

/** The description of one parameter. */
export function describe(
  name: string,
  entry: Described & { schema: z.ZodType; default?: unknown },
  acts: ParameterDescription["acts"],
): ParameterDescription {
  const schema = toJsonSchema(entry.schema);
  const range = alternatives(schema);
  return {
    name,
    help: entry.help,
    control: entry.control,
    allowed: entry.allowed,
    default: entry.default ?? null,
    when_absent: entry.whenAbsent ?? null,
    minimum: bound(range, "minimum"),
    maximum: bound(range, "maximum"),
    step: entry.step ?? null,
    choices: range.flatMap((one) => (Array.isArray(one["enum"]) ? [one["enum"] as string[]] : []))[0] ?? null,
    modes: [...(entry.modes ?? ["text", "video"])],
    acts,
    needs: entry.needs ?? null,
    schema,
  };
}

/** JSON Schema (2020-12) of what a client may send. */
export function toJsonSchema(schema: z.ZodType, io: "input" | "output" = "input"): Record<string, unknown> {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: "any", target: "draft-2020-12" });
  return rest;
}

type Schema = Record<string, unknown>;

/** A schema, or the forms that a value may have. */
function alternatives(schema: Schema): Schema[] {
  return Array.isArray(schema["anyOf"]) ? (schema["anyOf"] as Schema[]) : [schema];
}

/** A bound that means something: not that of all whole numbers. */
function bound(schemas: readonly Schema[], key: "minimum" | "maximum"): number | null {
  const value = schemas.map((one) => one[key]).find((one) => typeof one === "number");
  return value === undefined || Math.abs(value) === Number.MAX_SAFE_INTEGER ? null : value;
}
