/** The lists of tensors against the published counts of tensors and parameters. */
import { expect, it } from "vitest";
import { WAN_AUTOENCODERS } from "./autoencoder-config.ts";
import { wanTensors } from "./autoencoder-tensors.ts";
import {
  adapterLayers,
  adapterTensors,
  textEncoderTensors,
  transformerTensors,
  vaceTensors,
} from "./checkpoint-tensors.ts";
import { WAN_1_3B } from "./config.ts";
import type { TensorShapes } from "./tensor-shapes.ts";

const { transformer, vace, textEncoder } = WAN_1_3B;

function counts(shapes: TensorShapes): [tensors: number, parameters: number] {
  const sizes = Object.values(shapes).map((shape) => shape.reduce((a, b) => a * b, 1));
  return [sizes.length, sizes.reduce((a, b) => a + b, 0)];
}

it("has as many tensors and parameters as the published checkpoint", () => {
  expect(counts(transformerTensors(transformer))).toEqual([825, 1_418_996_800]);
  expect(counts(vaceTensors(transformer, vace!))).toEqual([439, 734_975_232]);
  expect(counts(adapterTensors(transformer, 256))).toEqual([600, 349_962_240]);
  expect(adapterLayers(transformer)).toHaveLength(300);
  expect(counts(textEncoderTensors(textEncoder))).toEqual([242, 5_680_910_336]);
  const { wan, lightvae } = WAN_AUTOENCODERS;
  if (wan.type !== "wan" || lightvae.type !== "lightvae") throw new Error("other kinds");
  expect(counts(wanTensors(wan))).toEqual([194, 126_892_531]);
  expect(counts(wanTensors(lightvae))[1]).toBe(8_035_003);
});
