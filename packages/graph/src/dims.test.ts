import { describe, expect, it } from "vitest";
import {
  addDims,
  broadcastShapes,
  canonicalDim,
  divideDim,
  elementCount,
  resolveDim,
  ShapeError,
  scaleDim,
} from "./dims.ts";

describe("sizes", () => {
  it.each([
    ["tokens+past", "past+tokens"],
    ["tokens + tokens", "2*tokens"],
    ["3+tokens-1", "tokens+2"],
    ["tokens-tokens+4", 4],
    ["-2*a+b", "b-2*a"],
    [7, 7],
  ])("writes %s as %s", (dim, wanted) => {
    expect(canonicalDim(dim)).toBe(wanted);
  });

  it("adds, scales and divides sums of symbols", () => {
    expect(addDims("past", "tokens")).toBe("past+tokens");
    expect(addDims("past+tokens", "past", -1)).toBe("tokens");
    expect(scaleDim("past+2", 3)).toBe("3*past+6");
    expect(divideDim("4*frames+8", 4)).toBe("frames+2");
    expect(divideDim("4*frames+2", 4)).toBeUndefined();
  });

  it("resolves a sum once all its symbols are known", () => {
    expect(
      resolveDim(
        "past+2*tokens-1",
        new Map([
          ["past", 10],
          ["tokens", 3],
        ]),
      ),
    ).toBe(15);
    expect(resolveDim("past+tokens", new Map([["past", 10]]))).toBeUndefined();
  });

  it("counts elements with common factors taken out of symbolic sizes", () => {
    expect(elementCount(["2*a+4", 3])).toEqual(elementCount([6, "a+2"]));
    expect(elementCount(["a", "b"])).toEqual(elementCount(["b", "a"]));
    expect(elementCount(["a", 2])).not.toEqual(elementCount(["b", 2]));
  });

  it.each(["", "a b", "2tokens", "a*b", "a++b", 1.5])("refuses %s as a size", (dim) => {
    expect(() => canonicalDim(dim)).toThrow(ShapeError);
  });

  it("broadcasts a symbol only against itself and 1", () => {
    expect(broadcastShapes("add", ["tokens", 1], [1, 8])).toEqual(["tokens", 8]);
    expect(broadcastShapes("add", [4], ["n", 4])).toEqual(["n", 4]);
    expect(() => broadcastShapes("add", ["tokens", 8], [3, 8])).toThrow(/add: operand b \[3, 8\].*a \[tokens, 8\]/);
    expect(() => broadcastShapes("add", ["tokens"], ["past"])).toThrow(ShapeError);
  });
});
