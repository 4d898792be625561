import { describe, expect, it } from "vitest";
import { blendEmbeddings, interpolateEmbeddings, PromptBlender } from "./prompt-blender.ts";

const ROWS = 2;
/** Two rows of two; the second row is padding. */
const EMBEDDINGS: Readonly<Record<string, Float32Array>> = {
  east: Float32Array.of(2, 0, 0, 0),
  north: Float32Array.of(0, 2, 0, 0),
  west: Float32Array.of(-2, 0, 0, 0),
};
const close = (values: ArrayLike<number>) => Array.from(values, (value) => expect.closeTo(value, 5));
const one = (text: string) => [{ text, weight: 1 }];
const to = (text: string, numSteps: number) => ({
  targetPrompts: one(text),
  numSteps,
  temporalInterpolationMethod: "linear" as const,
});

function newBlender() {
  const encoded: string[] = [];
  const blender = new PromptBlender(ROWS, async (texts) =>
    texts.map((text) => {
      encoded.push(text);
      const embedding = EMBEDDINGS[text];
      if (!embedding) throw new Error(`no embedding of ${text}`);
      return embedding;
    }),
  );
  return { blender, encoded };
}

describe("blendEmbeddings", () => {
  const { east, north, west } = EMBEDDINGS as { east: Float32Array; north: Float32Array; west: Float32Array };

  it("mixes by weight and keeps the mean length", () => {
    const half = Math.SQRT2;
    expect([...blendEmbeddings([east, north], [1, 1], "linear", ROWS)]).toEqual(close([half, half, 0, 0]));
    expect([...blendEmbeddings([east, north], [0, 0], "linear", ROWS)]).toEqual(close([half, half, 0, 0]));
    expect([...blendEmbeddings([east], [7], "linear", ROWS)]).toEqual(close([2, 0, 0, 0]));
  });

  it("leaves opposite embeddings, which cancel out, at zero", () => {
    expect([...blendEmbeddings([east, west], [1, 1], "linear", ROWS)]).toEqual([0, 0, 0, 0]);
  });

  it("turns from one to the other with slerp, for two prompts only", () => {
    const third = [2 * Math.cos(Math.PI / 6), 2 * Math.sin(Math.PI / 6), 0, 0];
    expect([...blendEmbeddings([east, north], [2, 1], "slerp", ROWS)]).toEqual(close(third));
    const three = blendEmbeddings([east, north, north], [2, 1, 1], "slerp", ROWS);
    expect([...three]).toEqual([...blendEmbeddings([east, north, north], [2, 1, 1], "linear", ROWS)]);
  });

  it("slerps equal rows to themselves", () => {
    expect([...interpolateEmbeddings(east, east, 0.3, "slerp", ROWS)]).toEqual(close([2, 0, 0, 0]));
  });
});

describe("PromptBlender", () => {
  it("encodes prompts once and says when the embedding changed", async () => {
    const { blender, encoded } = newBlender();
    const step = (text: string) => blender.next({ prompts: one(text), method: "linear" });
    expect(await step("east")).toMatchObject({ updated: true, active: false });
    expect(await step("east")).toMatchObject({ updated: false });
    expect(await step("north")).toMatchObject({ updated: true, embedding: Float32Array.of(0, 2, 0, 0) });
    expect(encoded).toEqual(["east", "north"]);
  });

  it("moves to a target over several chunks, then ignores the prompts that it replaced", async () => {
    const { blender } = newBlender();
    const step = (transition?: ReturnType<typeof to>) =>
      blender.next({ prompts: one("east"), transition, method: "linear" });
    await step();
    const seen = [];
    for (let i = 0; i < 3; i++) seen.push(await step(to("north", 3)));
    expect(seen.map(({ embedding }) => [...embedding])).toEqual([
      close([2, 0, 0, 0]),
      close([1, 1, 0, 0]),
      close([0, 2, 0, 0]),
    ]);
    expect(seen.map(({ active }) => active)).toEqual([true, true, false]);
    expect(await step()).toMatchObject({ updated: false, embedding: Float32Array.of(0, 2, 0, 0) });
    expect(await step(to("north", 3))).toMatchObject({ updated: false });
  });

  it("cuts a transition short for new prompts", async () => {
    const { blender } = newBlender();
    await blender.next({ prompts: one("east"), method: "linear" });
    await blender.next({ prompts: one("east"), transition: to("north", 4), method: "linear" });
    const cut = await blender.next({ prompts: one("west"), method: "linear" });
    expect(cut).toMatchObject({ updated: true, active: false, embedding: Float32Array.of(-2, 0, 0, 0) });
  });

  it("leaves everything as it was when encoding fails", async () => {
    const { blender } = newBlender();
    await blender.next({ prompts: one("east"), method: "linear" });
    await expect(blender.next({ prompts: one("nowhere"), method: "linear" })).rejects.toThrow("nowhere");
    expect(blender.current).toEqual(one("east"));
    const retried = await blender.next({ prompts: one("north"), method: "linear" });
    expect(retried.embedding).toEqual(Float32Array.of(0, 2, 0, 0));
  });

  it("keeps what it shows when the prompts become empty, and asks for one when there was none", async () => {
    const { blender } = newBlender();
    await expect(blender.next({ prompts: [], method: "linear" })).rejects.toThrow("prompts");
    await blender.next({ prompts: one("east"), method: "linear" });
    expect(await blender.next({ prompts: [], method: "linear" })).toMatchObject({ updated: false });
  });
});
