// Whether received pictures are what their prompts ask for: the acceptance rules, told as a list of faults.
import {
  beyondRecolouring,
  meanDifference,
  meanHue,
  meanSaturation,
  type Picture,
  structureCorrelation,
} from "./picture.ts";

export const PROMPTS = ["photo", "black and white", "sepia", "pencil sketch", "thermal camera"] as const;
export type PromptPictures = Record<(typeof PROMPTS)[number], Picture>;

/** The figures that the rules look at, for the log. */
export function figuresOf(input: Picture, pictures: PromptPictures): Record<string, Record<string, number>> {
  const each = (figure: (picture: Picture) => number): Record<string, number> =>
    Object.fromEntries(PROMPTS.map((text) => [text, Number(figure(pictures[text]).toFixed(3))]));
  return {
    saturation: each(meanSaturation),
    hue: each(meanHue),
    structure: each((picture) => structureCorrelation(input, picture)),
    "distance from photo": each((picture) => meanDifference(pictures.photo, picture)),
    "beyond recolouring": each((picture) => beyondRecolouring(pictures.photo, picture)),
  };
}

/** One sentence for each rule that the pictures break; empty when every prompt acts. */
export function faultsOf(input: Picture, pictures: PromptPictures): string[] {
  const { photo, sepia } = pictures;
  const grey = pictures["black and white"];
  const faults: string[] = [];
  const must = (holds: boolean, fault: string): void => {
    if (!holds) faults.push(fault);
  };
  must(meanSaturation(photo) > 0.15, "photo has lost the colours of the input");
  must(
    meanSaturation(grey) <= 0.4 * meanSaturation(photo),
    "black and white keeps more than 40 % of photo's saturation",
  );
  must(meanHue(sepia) >= 20 && meanHue(sepia) <= 50, "the hue of sepia is not brown");
  for (const text of ["photo", "black and white", "sepia"] as const) {
    must(structureCorrelation(input, pictures[text]) > 0.4, `${text} has lost the structure of the input`);
  }
  const recolouring = Math.max(meanDifference(photo, grey), meanDifference(photo, sepia));
  for (const text of ["pencil sketch", "thermal camera"] as const) {
    must(meanDifference(photo, pictures[text]) > recolouring, `${text} is no farther from photo than a colour change`);
  }
  must(
    meanDifference(pictures["pencil sketch"], pictures["thermal camera"]) > recolouring,
    "pencil sketch and thermal camera differ by no more than a colour change",
  );
  return faults;
}
