import { defaultParameters, type Parameters, takeOneShots } from "@everframe/protocol";
import { describe, expect, it } from "vitest";
import { VirtualClock } from "../testing/virtual-clock.ts";
import type { I420Frame } from "../webrtc/media-peer.ts";
import { ChunkLoop } from "./chunk-loop.ts";
import { InputBuffer } from "./input-buffer.ts";

const FRAME: I420Frame = { width: 2, height: 2, data: new Uint8Array(6) };

/** A reset that is asked for while one frame waits, and the chunk that two frames make then. */
async function resetWhileWaiting(losesOneShots: boolean): Promise<Parameters> {
  const clock = new VirtualClock();
  const input = new InputBuffer<I420Frame>();
  let current: Parameters = { ...defaultParameters(), inputMode: "video" };
  const made: Parameters[] = [];
  const loop: ChunkLoop = new ChunkLoop({
    clock,
    input,
    losesOneShots,
    stream: {
      kind: "chunks",
      framesPerChunk: 2,
      async generate({ parameters }) {
        made.push(parameters);
        loop.stop();
        return { frames: [], stagesMs: {}, notices: [] };
      },
      close: () => {},
    },
    currentParameters: () => current,
    takeParameters: () => {
      const { now, rest } = takeOneShots(current);
      current = rest;
      return now;
    },
    takeImages: async () => ({}),
    toRgba: ({ width, height }) => ({ width, height, data: new Uint8Array(width * height * 4) }),
    queued: () => 0,
    onChunk: () => {},
    onFailure: () => {},
  });
  input.push(FRAME, clock.now());
  const running = loop.run();
  current = { ...current, resetCache: true, noiseScale: 0.3 };
  loop.notify();
  await new Promise((resolve) => setImmediate(resolve));
  input.push(FRAME, clock.now());
  loop.notify();
  await running;
  return made[0]!;
}

describe("ChunkLoop", () => {
  it("[PAR5] keeps what acts once until a chunk starts", async () => {
    expect(await resetWhileWaiting(false)).toMatchObject({ resetCache: true, noiseScale: 0.3 });
  });

  it("can lose it as the original does", async () => {
    const parameters = await resetWhileWaiting(true);
    expect(parameters.noiseScale).toBe(0.3);
    expect(parameters).not.toHaveProperty("resetCache");
  });
});
