/** TAE against the plain definition of its layers, frame by frame in float64, on small random weights. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SafetensorsFile } from "@everframe/graph";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Autoencoder, Latents } from "./autoencoder.ts";
import { WAN_AUTOENCODERS } from "./autoencoder-config.ts";
import { type TaeWidths, taeTensors } from "./autoencoder-tensors.ts";
import { TaeAutoencoder } from "./tae-autoencoder.ts";
import type { TensorShapes } from "./tensor-shapes.ts";
import { randomNumbers, writeRandomWeights } from "./testing/random-weights.ts";

const GRID = { height: 2, width: 3 };
const [HEIGHT, WIDTH] = [GRID.height * 8, GRID.width * 8];
const PIXELS = 3 * HEIGHT * WIDTH;
const LATENTS = 16 * GRID.height * GRID.width;
const WIDTHS: TaeWidths = { encoder: 6, decoder: [8, 6, 5, 4] };
const LIGHT = WAN_AUTOENCODERS.lighttae as Extract<(typeof WAN_AUTOENCODERS)["tae"], { type: "tae" | "lighttae" }>;
const PLAIN = WAN_AUTOENCODERS.tae as typeof LIGHT;

let folder: string;
let file: SafetensorsFile;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tae-"));
  file = writeRandomWeights(join(folder, "tae.safetensors"), taeTensors(16, WIDTHS));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** One picture of any number of channels. */
type Planes = { channels: number; height: number; width: number; data: Float64Array };

function planes(channels: number, height: number, width: number): Planes {
  return { channels, height, width, data: new Float64Array(channels * height * width) };
}

/** The layers as defined, one picture at a time. Memories are kept by layer name. */
class Reference {
  readonly #file: SafetensorsFile;
  readonly #memories = new Map<string, Planes>();

  readonly #rows: Record<string, number>;

  /** @param rows of tensors of which only so many last ones count */
  constructor(weights: SafetensorsFile, rows: Record<string, number> = {}) {
    this.#file = weights;
    this.#rows = rows;
  }

  conv(x: Planes, name: string, stride = 1): Planes {
    const stored = this.#file.read(`${name}.weight`);
    const [rows, inner, kernel] = this.#file.info(`${name}.weight`).shape as [number, number, number];
    const out = this.#rows[`${name}.weight`] ?? rows;
    const weight = stored.subarray(stored.length - (out * stored.length) / rows);
    const bias = this.#file.has(`${name}.bias`) ? this.#file.read(`${name}.bias`) : undefined;
    expect(inner).toBe(x.channels);
    const y = planes(out, Math.ceil(x.height / stride), Math.ceil(x.width / stride));
    const reach = (kernel - 1) / 2;
    for (let o = 0; o < out; o++) {
      for (let row = 0; row < y.height; row++) {
        for (let column = 0; column < y.width; column++) {
          let sum = bias?.[o] ?? 0;
          for (let i = 0; i < inner; i++) {
            for (let dy = 0; dy < kernel; dy++) {
              for (let dx = 0; dx < kernel; dx++) {
                const [ry, rx] = [row * stride + dy - reach, column * stride + dx - reach];
                if (ry < 0 || rx < 0 || ry >= x.height || rx >= x.width) continue;
                sum +=
                  weight[((o * inner + i) * kernel + dy) * kernel + dx]! * x.data[(i * x.height + ry) * x.width + rx]!;
              }
            }
          }
          y.data[(o * y.height + row) * y.width + column] = sum;
        }
      }
    }
    return y;
  }

  memory(x: Planes, name: string): Planes {
    const past = this.#memories.get(name) ?? planes(x.channels, x.height, x.width);
    this.#memories.set(name, x);
    let y = this.conv(stacked([x, past]), `${name}.conv.0`);
    y = this.conv(relu(y), `${name}.conv.2`);
    y = this.conv(relu(y), `${name}.conv.4`);
    return relu({ ...y, data: y.data.map((value, i) => value + x.data[i]!) });
  }

  /** Latents of whole groups of 4 frames. */
  encode(frames: Planes[]): Planes[] {
    let level = frames.map((frame) =>
      relu(this.conv({ ...frame, data: frame.data.map((value) => (value + 1) / 2) }, "encoder.0")),
    );
    for (const [joined, index] of [
      [2, 2],
      [2, 7],
      [1, 12],
    ] as const) {
      const groups = Array.from({ length: level.length / joined }, (_, i) =>
        stacked(level.slice(i * joined, (i + 1) * joined)),
      );
      level = groups.map((group) => {
        let x = this.conv(this.conv(group, `encoder.${index}.conv`), `encoder.${index + 1}`, 2);
        for (let i = 0; i < 3; i++) x = this.memory(x, `encoder.${index + 2 + i}`);
        return x;
      });
    }
    return level.map((x) => this.conv(x, "encoder.17"));
  }

  /** Four pictures for each latent. */
  decode(latents: Planes[]): Planes[] {
    let level = latents.map((latent) =>
      relu(this.conv({ ...latent, data: latent.data.map((value) => 3 * Math.tanh(value / 3)) }, "decoder.1")),
    );
    for (const [split, index] of [
      [1, 3],
      [2, 9],
      [2, 15],
    ] as const) {
      level = level.flatMap((frame) => {
        let x = frame;
        for (let i = 0; i < 3; i++) x = this.memory(x, `decoder.${index + i}`);
        const grown = this.conv(doubled(x), `decoder.${index + 4}.conv`);
        return parts(grown, split).map((part) => this.conv(part, `decoder.${index + 5}`));
      });
    }
    return level.map((x) => {
      const y = this.conv(relu(x), "decoder.22");
      return { ...y, data: y.data.map((value) => Math.min(1, Math.max(0, value)) * 2 - 1) };
    });
  }
}

function relu(x: Planes): Planes {
  return { ...x, data: x.data.map((value) => Math.max(0, value)) };
}

function stacked(list: Planes[]): Planes {
  const { height, width } = list[0]!;
  const data = Float64Array.from(list.flatMap((x) => [...x.data]));
  return { channels: data.length / (height * width), height, width, data };
}

function parts(x: Planes, count: number): Planes[] {
  const size = x.data.length / count;
  return Array.from({ length: count }, (_, i) => ({
    ...x,
    channels: x.channels / count,
    data: x.data.slice(i * size, (i + 1) * size),
  }));
}

function doubled(x: Planes): Planes {
  const y = planes(x.channels, 2 * x.height, 2 * x.width);
  for (let c = 0; c < x.channels; c++) {
    for (let row = 0; row < y.height; row++) {
      for (let column = 0; column < y.width; column++) {
        y.data[(c * y.height + row) * y.width + column] =
          x.data[(c * x.height + (row >> 1)) * x.width + (column >> 1)]!;
      }
    }
  }
  return y;
}

function video(frames: number, seed = 3): Latents {
  return { frames, data: randomNumbers(frames * PIXELS, seed) };
}

function pictures({ frames, data }: Latents, channels: number): Planes[] {
  const size = data.length / frames;
  const [height, width] = channels === 3 ? [HEIGHT, WIDTH] : [GRID.height, GRID.width];
  return Array.from({ length: frames }, (_, i) => ({
    channels,
    height,
    width,
    data: Float64Array.from(data.subarray(i * size, (i + 1) * size)),
  }));
}

function part({ frames, data }: Latents, from: number, to: number): Latents {
  const size = data.length / frames;
  return { frames: to - from, data: data.subarray(from * size, to * size) };
}

const flat = (list: Planes[]) => list.flatMap((x) => [...x.data]);

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  let largest = 0;
  for (let i = 0; i < a.length; i++) largest = Math.max(largest, Math.abs(a[i]! - b[i]!));
  return largest;
}

async function using<T>(opened: Promise<Autoencoder>, work: (autoencoder: Autoencoder) => Promise<T>): Promise<T> {
  const autoencoder = await opened;
  try {
    return await work(autoencoder);
  } finally {
    await autoencoder.close();
  }
}

const options = { threads: 1 };
const openPlain = (latentsPerPass = 3) => TaeAutoencoder.create(PLAIN, file, GRID, { ...options, latentsPerPass });

describe("TaeAutoencoder", () => {
  it("encodes as its layers are defined, over several calls", () =>
    using(openPlain(), async (tae) => {
      const reference = new Reference(file);
      const whole = video(24);
      const encoder = tae.openEncoder();
      for (const [from, to] of [
        [0, 12],
        [12, 24],
      ] as const) {
        const latents = await encoder.encode(part(whole, from, to));
        expect(latents.frames).toBe(3);
        const expected = flat(reference.encode(pictures(part(whole, from, to), 3)));
        expect(largestDifference(latents.data, expected)).toBeLessThan(1e-4);
      }
    }));

  it("decodes as its layers are defined, without the first three frames of a video", () =>
    using(openPlain(), async (tae) => {
      const reference = new Reference(file);
      const whole: Latents = { frames: 6, data: randomNumbers(6 * LATENTS, 5).map((value) => 2 * value) };
      const decoder = tae.openDecoder();
      for (const [from, to] of [
        [0, 3],
        [3, 6],
      ] as const) {
        const pixels = await decoder.decode(part(whole, from, to));
        const all = reference.decode(pictures(part(whole, from, to), 16));
        const expected = from === 0 ? all.slice(3) : all;
        expect(pixels.frames).toBe(expected.length);
        expect(largestDifference(pixels.data, flat(expected))).toBeLessThan(1e-4);
        // Pictures that are black or white everywhere would show nothing of the layers before.
        expect(pixels.data.filter((value) => Math.abs(value) < 0.99).length).toBeGreaterThan(pixels.data.length / 10);
      }
    }));

  it("fills a last group with the last frame: 13 frames give 4 latents, 9 give 3, 1 gives 1", () =>
    using(openPlain(), async (tae) => {
      for (const [frames, latents] of [
        [13, 4],
        [12, 3],
        [9, 3],
        [1, 1],
      ] as const) {
        const given = video(frames);
        const filled = [...pictures(given, 3)];
        while (filled.length < 4 * latents) filled.push(filled.at(-1)!);
        const encoded = await tae.openEncoder().encode(given);
        expect(encoded.frames).toBe(latents);
        expect(largestDifference(encoded.data, flat(new Reference(file).encode(filled)))).toBeLessThan(1e-4);
      }
    }));

  it("gives the same bits however frames are grouped into calls and passes, and begins anew after a reset", async () => {
    const run = (latentsPerPass: number, calls: number[]) =>
      using(openPlain(latentsPerPass), async (tae) => {
        const [encoder, decoder] = [tae.openEncoder(), tae.openDecoder()];
        const round = async () => {
          const made = { latents: [] as number[], pixels: [] as number[] };
          let at = 0;
          for (const latents of calls) {
            const encoded = await encoder.encode(part(video(24), at, at + 4 * latents));
            made.latents.push(...encoded.data);
            made.pixels.push(...(await decoder.decode(encoded)).data);
            at += 4 * latents;
          }
          return made;
        };
        const first = await round();
        encoder.reset();
        decoder.reset();
        expect(await round()).toEqual(first);
        return first;
      });
    const expected = await run(6, [6]);
    expect(await run(1, [6])).toEqual(expected);
    expect(await run(3, [1, 3, 2])).toEqual(expected);
  });

  it("centres and scales the latents of LightTAE", async () => {
    const pixels = video(4);
    const plain = await using(openPlain(), (tae) => tae.openEncoder().encode(pixels));
    await using(TaeAutoencoder.create(LIGHT, file, GRID, options), async (light) => {
      const scaled = await light.openEncoder().encode(pixels);
      const plane = GRID.height * GRID.width;
      const expected = plain.data.map((value, i) => {
        const channel = Math.floor(i / plane) % 16;
        return (value - LIGHT.mean[channel]!) / LIGHT.std[channel]!;
      });
      expect(largestDifference(scaled.data, expected)).toBeLessThan(1e-5);
      const shown = await light.openDecoder().decode(scaled);
      const wanted = await using(openPlain(), (tae) => tae.openDecoder().decode(plain));
      expect(largestDifference(shown.data, wanted.data)).toBeLessThan(1e-4);
    });
  });

  it("uses the last rows of a layer that splits frames when the file has more", async () => {
    const name = "decoder.7.conv.weight";
    const shapes = taeTensors(16, WIDTHS);
    const surplus: TensorShapes = { ...shapes, [name]: [16, 8, 1, 1] };
    const path = join(folder, "surplus.safetensors");
    const long = writeRandomWeights(path, surplus);
    const latents: Latents = { frames: 1, data: randomNumbers(LATENTS, 5) };
    const shown = await using(TaeAutoencoder.create(PLAIN, long, GRID, options), (tae) =>
      tae.openDecoder().decode(latents),
    );
    const reference = new Reference(long, { [name]: 8 });
    expect(largestDifference(shown.data, flat(reference.decode(pictures(latents, 16)).slice(3)))).toBeLessThan(1e-4);
  });

  it("refuses a file of another network, and says what is wrong with it", async () => {
    const { "decoder.22.bias": _, ...incomplete } = taeTensors(16, WIDTHS);
    const shapes = { ...incomplete, "encoder.17.bias": [15], extra: [1] };
    const other = writeRandomWeights(join(folder, "other.safetensors"), shapes);
    await expect(TaeAutoencoder.create(PLAIN, other, GRID)).rejects.toThrow(
      /encoder\.17\.bias is \[15\] instead of \[16\]; decoder\.22\.bias is missing; extra is unknown/,
    );
  });
});
