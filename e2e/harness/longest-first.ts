// The order of the files: the longest first, so that no worker is left with one when the others are done.
import { BaseSequencer, type TestSpecification } from "vitest/node";

const LONGEST = ["guide", "studio-play", "vace", "sessions", "studio-network", "sdk.e2e"];

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const place = LONGEST.findIndex((name) => moduleId.includes(`/e2e/${name}`));
      return place < 0 ? LONGEST.length : place;
    };
    return files.toSorted((a, b) => rank(a) - rank(b));
  }
}
