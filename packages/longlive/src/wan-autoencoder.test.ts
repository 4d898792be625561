/**
 * Wan2.1's autoencoder with small random weights: what must hold at any size.
 * Its numbers are compared with recorded ones by the golden cases.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { encodeOnce, type Latents } from "./autoencoder.ts";
import { WAN_LATENTS, type WanAutoencoderConfig } from "./autoencoder-config.ts";
import { wanTensors } from "./autoencoder-tensors.ts";
import { openStreamCodec } from "./stream-codec.ts";
import { randomNumbers, writeRandomWeights } from "./testing/random-weights.ts";
import { WanAutoencoder } from "./wan-autoencoder.ts";

const GRID = { height: 2, width: 2 };
const PIXELS = 3 * 8 * GRID.height * 8 * GRID.width;
const LATENT = 16 * GRID.height * GRID.width;
const CONFIG: WanAutoencoderConfig = {
  type: "wan",
  latentChannels: 16,
  dim: 4,
  channelMultiples: [1, 2, 4, 4],
  resBlocks: 1,
  temporalDownsample: [false, true, true],
  ...WAN_LATENTS,
  weights: "",
};

let folder: string;
let wan: WanAutoencoder;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "wan-"));
  wan = await open(CONFIG);
});
afterAll(async () => {
  await wan.close();
  rmSync(folder, { recursive: true });
});

function open(config: WanAutoencoderConfig, latentsPerPass?: number): Promise<WanAutoencoder> {
  const file = writeRandomWeights(join(folder, `${config.type}-${config.dim}.safetensors`), wanTensors(config));
  return WanAutoencoder.create(config, file, GRID, { threads: 1, ...(latentsPerPass ? { latentsPerPass } : {}) });
}

function video(frames: number, seed = 3): Latents {
  return { frames, data: randomNumbers(frames * PIXELS, seed) };
}

function part({ frames, data }: Latents, from: number, to: number): Latents {
  const size = data.length / frames;
  return { frames: to - from, data: data.subarray(from * size, to * size) };
}

/** A video in calls of so many frames: all that comes out. */
async function inCalls(stream: (part: Latents) => Promise<Latents>, whole: Latents, calls: number[]) {
  const values: number[] = [];
  let at = 0;
  for (const frames of calls) {
    values.push(...(await stream(part(whole, at, at + frames))).data);
    at += frames;
  }
  return values;
}

describe("WanAutoencoder", () => {
  it("gives 1 + n latents for the first 1 + 4n frames, then n for 4n, and as many frames back", async () => {
    const [encoder, decoder] = [wan.openEncoder(), wan.openDecoder()];
    for (const [frames, latents] of [
      [13, 4],
      [12, 3],
      [4, 1],
    ] as const) {
      const encoded = await encoder.encode(video(frames));
      expect([encoded.frames, encoded.data.length]).toEqual([latents, latents * LATENT]);
      const decoded = await decoder.decode(encoded);
      expect([decoded.frames, decoded.data.length]).toEqual([frames, frames * PIXELS]);
    }
    await expect(encoder.encode(video(3))).rejects.toThrow("3 frames are too few");
    await expect(wan.openEncoder().encode(video(0))).rejects.toThrow("0 frames are too few");
  });

  it("gives the same however frames are grouped into calls, a first frame alone included", async () => {
    const whole = video(25);
    const encoder = (calls: number[]) => {
      const stream = wan.openEncoder();
      return inCalls((pixels) => stream.encode(pixels), whole, calls);
    };
    const expected = await encoder([25]);
    expect(expected.length).toBe(7 * LATENT);
    for (const calls of [
      [13, 12],
      [1, 24],
      [5, 4, 8, 8],
      [1, 4, 4, 4, 4, 4, 4],
    ]) {
      expect(await encoder(calls)).toEqual(expected);
    }
    const latents: Latents = { frames: 7, data: Float32Array.from(expected) };
    const decoder = (calls: number[]) => {
      const stream = wan.openDecoder();
      return inCalls((part) => stream.decode(part), latents, calls);
    };
    const pictures = await decoder([7]);
    for (const calls of [
      [4, 3],
      [1, 6],
      [2, 1, 1, 3],
    ])
      expect(await decoder(calls)).toEqual(pictures);
  });

  it("gives the same in one pass and in many", async () => {
    const small = await open(CONFIG, 1);
    try {
      expect(wan.latentsPerPass).toBeGreaterThan(7);
      for (const frames of [25, 12]) {
        const [expected, encoded] = [
          await wan.openEncoder().encode(video(frames)),
          await small.openEncoder().encode(video(frames)),
        ];
        expect(encoded).toEqual(expected);
        expect(await small.openDecoder().decode(encoded)).toEqual(await wan.openDecoder().decode(encoded));
      }
    } finally {
      await small.close();
    }
  });

  it("keeps streams apart, begins anew after a reset, and lets one-off calls disturb nothing", async () => {
    const [a, b] = [wan.openEncoder(), wan.openEncoder()];
    const alone = [await a.encode(video(13, 1)), await a.encode(video(12, 2))];
    a.reset();
    const besides = [await a.encode(video(13, 1))];
    await b.encode(video(13, 7));
    await encodeOnce(wan, video(5, 8));
    besides.push(await a.encode(video(12, 2)));
    expect(besides).toEqual(alone);
    expect((await b.encode(video(12, 2))).data).not.toEqual(alone[1]!.data);
  });

  it("keeps videos of a stream apart, or runs them into each other as the original does", async () => {
    const separate = openStreamCodec(wan, { shared: false });
    const shared = openStreamCodec(wan, { shared: true });
    for (const codec of [separate, shared]) {
      // Until something has been decoded, every call of a shared memory starts from nothing.
      await codec.inactive.encode(video(13, 1));
      await codec.decoder.decode(await codec.reactive.encode(video(13, 2)));
    }
    const [kept] = [await separate.inactive.encode(video(12, 3)), await separate.reactive.encode(video(12, 4))];
    const mixed = await shared.inactive.encode(video(12, 3));
    const one = wan.openEncoder();
    await one.encode(video(13, 1));
    expect(kept).toEqual(await one.encode(video(12, 3)));
    const other = wan.openEncoder();
    await other.encode(video(13, 2));
    expect(mixed).toEqual(await other.encode(video(12, 3)));
    expect(await shared.reactive.encode(video(12, 4))).toEqual(await other.encode(video(12, 4)));
  });

  it("lets frames after a first call's last group act on later latents", async () => {
    const [longer, exact] = [wan.openEncoder(), wan.openEncoder()];
    expect(await longer.encode(video(12))).toEqual(await exact.encode(part(video(12), 0, 9)));
    expect((await longer.encode(video(4, 9))).data).not.toEqual((await exact.encode(video(4, 9))).data);
  });

  it("settles on a picture that never changes when it says", async () => {
    const frames = 4 * (wan.settledAfter + 2) + 1;
    const picture = randomNumbers(PIXELS, 6);
    const data = Float32Array.from({ length: frames * PIXELS }, (_, i) => picture[i % PIXELS]!);
    const latents = await wan.openEncoder().encode({ frames, data });
    const settled = part(latents, wan.settledAfter, wan.settledAfter + 1).data;
    expect(wan.settledAfter).toBe(20);
    expect(part(latents, 21, 22).data).toEqual(settled);
    expect(part(latents, 22, 23).data).toEqual(settled);
  });

  it("has a quarter of the channels as LightVAE", async () => {
    const config: WanAutoencoderConfig = { ...CONFIG, type: "lightvae", dim: 13, resBlocks: 2 };
    expect(wanTensors(config)).toMatchObject({
      "encoder.conv1.weight": [3, 3, 3, 3, 3],
      "encoder.downsamples.3.residual.2.weight": [6, 3, 3, 3, 3],
      "encoder.head.2.weight": [32, 13, 3, 3, 3],
      "decoder.upsamples.4.shortcut.weight": [13, 6, 1, 1, 1],
    });
    const light = await open(config);
    try {
      const decoded = await light.openDecoder().decode(await light.openEncoder().encode(video(13)));
      expect(decoded.frames).toBe(13);
      expect(decoded.data.every((value) => value >= -1 && value <= 1)).toBe(true);
    } finally {
      await light.close();
    }
  });

  it("has the tensors of the published checkpoint", () => {
    const full: WanAutoencoderConfig = { ...CONFIG, dim: 96, resBlocks: 2 };
    const parameters = (config: WanAutoencoderConfig) =>
      Object.values(wanTensors(config)).reduce((sum, shape) => sum + shape.reduce((a, b) => a * b, 1), 0);
    expect(Object.keys(wanTensors(full))).toHaveLength(194);
    expect(parameters(full)).toBe(126_892_531);
    expect(parameters({ ...full, type: "lightvae" })).toBe(8_035_003);
  });

  it("refuses a file of another size, and says what is wrong with it", async () => {
    const file = writeRandomWeights(join(folder, "other.safetensors"), wanTensors({ ...CONFIG, dim: 5 }));
    await expect(WanAutoencoder.create(CONFIG, file, GRID)).rejects.toThrow(
      /encoder\.conv1\.weight is \[5, 3, 3, 3, 3\] instead of \[4, 3, 3, 3, 3\].* more$/,
    );
  });

  it("stops between passes for an abort that comes during one, and begins anew after a reset", async () => {
    const small = await open(CONFIG, 1);
    try {
      const whole = video(41);
      const latents = await encodeOnce(small, whole);
      const [encoder, decoder] = [small.openEncoder(), small.openDecoder()];
      for (const [stream, run, wanted] of [
        [encoder, (signal?: AbortSignal) => encoder.encode(whole, signal), latents],
        [
          decoder,
          (signal?: AbortSignal) => decoder.decode(latents, { signal }),
          await small.openDecoder().decode(latents),
        ],
      ] as const) {
        const control = new AbortController();
        // A few turns of the thread: after some of the 11 passes.
        let turns = 6;
        const turn = () => (--turns > 0 ? setImmediate(turn) : control.abort(new Error("not wanted any more")));
        turn();
        await expect(run(control.signal)).rejects.toThrow("not wanted any more");
        expect(turns).toBe(0);
        stream.reset();
        expect((await run()).data).toEqual(wanted.data);
      }
    } finally {
      await small.close();
    }
  });
});
