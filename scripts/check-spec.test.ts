import { expect, test } from "vitest";
import { findFaults } from "./check-spec.ts";

const spec = "# Rules\n\n- **[LOAD1]** A load answers at once.\n- **[PAR12]** The latest value wins.\n";
const proofs = (text: string) => [{ file: "packages/a.test.ts", text }];

test("a rule is proven by a test of any kind that bears its id", () => {
  const text = 'it("[LOAD1] answers", () => {});\ntest.skipIf(isSlow)(\n  `[PAR12] takes the latest`, () => {});';
  expect(findFaults(spec, proofs(text))).toEqual([]);
  expect(findFaults(spec, proofs("it('[LOAD1][PAR12] both', () => {})"))).toEqual([]);
});

test("a rule without a test is named, and so is one whose test is skipped", () => {
  const text = 'it("[LOAD1] answers", () => {}); it.skip("[PAR12] later", () => {}); // [PAR12] it("x")';
  expect(findFaults(spec, proofs(text))).toEqual(["docs/SPEC.md: no test bears [PAR12]"]);
});

test("a test for a rule that is not there is named", () => {
  const text = 'it("[LOAD1] [PAR12] [LOAD9] answers", () => {});';
  expect(findFaults(spec, proofs(text))).toEqual(["packages/a.test.ts: [LOAD9] is no rule of docs/SPEC.md"]);
});

test("an id is used once, and a rule is a sentence on one line", () => {
  const text = 'it("[LOAD1] [PAR12]", () => {});';
  expect(findFaults(`${spec}- **[LOAD1]** Again.\n`, proofs(text))).toEqual(["docs/SPEC.md: [LOAD1] is there twice"]);
  expect(findFaults("- **[LOAD1]** A load\n  answers.\n", proofs('it("[LOAD1]", f)'))).toHaveLength(1);
});
