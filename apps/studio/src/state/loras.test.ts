import { expect, test } from "vitest";
import { addLora, currentScales, loraName, toLoraFiles, toLoraScales } from "./loras.ts";

const ink = { path: "styles/ink.safetensors", scale: 0.8, mergeMode: "permanent_merge" } as const;

test("a file is added once, ready to be played unless its neighbours are merged", () => {
  expect(addLora([], " oil.safetensors ")).toEqual([{ path: "oil.safetensors", scale: 1, mergeMode: "runtime_peft" }]);
  expect(addLora([ink], "oil")[1]).toMatchObject({ mergeMode: "permanent_merge" });
  for (const name of ["", "  ", ink.path]) expect(addLora([ink], name)).toEqual([ink]);
  const many = Array.from({ length: 9 }, (_, i) => `${i}`).reduce(addLora, [] as ReturnType<typeof toLoraFiles>);
  expect(many).toHaveLength(8);
});

test("what was played holds over the load, for the files that are loaded", () => {
  const loaded = [ink, { path: "oil", scale: 1 }];
  const played = [
    { path: "oil", scale: 0.2 },
    { path: "gone", scale: 2 },
  ];
  expect(currentScales(loaded, played)).toEqual([
    { path: ink.path, scale: 0.8 },
    { path: "oil", scale: 0.2 },
  ]);
  expect(loraName(ink.path)).toBe("ink");
});

test("data of unknown origin costs only its bad entries", () => {
  const given = [ink, { path: 5, scale: 1 }, { path: "x", scale: 99 }, { path: "oil", scale: 1, mergeMode: "y" }, null];
  expect(toLoraFiles(given)).toEqual([ink, { path: "oil", scale: 1, mergeMode: "runtime_peft" }]);
  for (const data of [undefined, "x", {}]) expect(toLoraScales(data)).toEqual([]);
});
