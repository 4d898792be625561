/**
 * What a checkpoint must hold: tensor names and shapes, compared with a file
 * before anything is made of it, so that a wrong or incomplete file is named
 * with its differences rather than failing somewhere in a graph.
 */
import { type WeightFile, WeightFileError } from "@everframe/graph";

export type TensorShapes = Readonly<Record<string, readonly number[]>>;

export type CheckOptions = {
  /** What the shapes are of, for messages: "an autoencoder". */
  readonly what: string;
  /** Told the names of tensors that nobody asks for. Default: such a file is refused. */
  readonly onUnknown?: (names: readonly string[]) => void;
};

const MOST_LISTED = 5;

/** @throws WeightFileError that lists what the file lacks, has in another shape, or has beside. */
export function checkTensors(file: WeightFile, shapes: TensorShapes, { what, onUnknown }: CheckOptions): void {
  const problems = Object.entries(shapes).flatMap(([name, shape]) => {
    if (!file.has(name)) return [`${name} is missing`];
    const found = file.info(name).shape;
    return found.join() === shape.join() ? [] : [`${name} is [${found.join(", ")}] instead of [${shape.join(", ")}]`];
  });
  const unknown = file.names().filter((name) => !Object.hasOwn(shapes, name));
  if (unknown.length > 0 && onUnknown) onUnknown(unknown);
  if (!onUnknown) problems.push(...unknown.map((name) => `${name} is unknown`));
  if (problems.length > 0) throw new WeightFileError(file.path, `it does not hold ${what}: ${listed(problems)}`);
}

/** The first few, and how many more. */
export function listed(items: readonly string[]): string {
  const more = items.length > MOST_LISTED ? ` and ${items.length - MOST_LISTED} more` : "";
  return `${items.slice(0, MOST_LISTED).join("; ")}${more}`;
}
