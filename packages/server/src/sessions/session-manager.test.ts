/** Who may come in, on a virtual clock. */
import type { CapacityRefusal } from "@everframe/protocol";
import { ApiError } from "@everframe/protocol";
import { describe, expect, it } from "vitest";
import { ImageDecoder } from "../assets/image-decoder.ts";
import { createLogger } from "../logger.ts";
import type { Needs } from "../pipelines/pipeline.ts";
import { fakeMedia, offerOf } from "../testing/fake-media.ts";
import { stubPipeline } from "../testing/stub-pipeline.ts";
import { VirtualClock } from "../testing/virtual-clock.ts";
import { SessionManager } from "./session-manager.ts";

type RigOptions = { maxSessions?: number; needs?: Needs; availableBytes?: () => number; chunkMs?: number };

async function rig({ maxSessions = 8, needs, availableBytes = () => 1e12, chunkMs = 500 }: RigOptions = {}) {
  const clock = new VirtualClock();
  const media = fakeMedia(clock);
  const manager = new SessionManager({
    media,
    clock,
    iceServers: async () => [],
    resolveAsset: (path) => path,
    imageDecoder: new ImageDecoder(),
    graceMs: 30_000,
    maxSessions,
    minFps: 2,
    availableBytes,
    log: createLogger("silent"),
  });
  const pipeline = stubPipeline({ clock, chunkMs: () => chunkMs, ...(needs === undefined ? {} : { needs }) });
  await manager.adopt(pipeline);
  const run = (ms: number) => clock.advanceAsync(ms, 20);
  const open = async (ticket?: string) => {
    const { sessionId } = await manager.open(pipeline, offerOf(`c${media.peers.length}`), {}, ticket);
    media.peers.at(-1)!.connect();
    return manager.get(sessionId);
  };
  /** What a refusal says. */
  const refused = async (ticket?: string): Promise<{ error: ApiError; told: CapacityRefusal }> => {
    const error = await open(ticket).then(
      () => new Error("it was let in"),
      (thrown: unknown) => thrown,
    );
    if (!(error instanceof ApiError)) throw error;
    return { error, told: error.extra as CapacityRefusal };
  };
  return { clock, media, manager, pipeline, run, open, refused };
}

describe("capacity", () => {
  it("[SES6] refuses with 503, when to come again, the capacity and a place in the line", async () => {
    const { open, refused, manager } = await rig({ maxSessions: 1 });
    await open();
    const { error, told } = await refused();
    expect(error).toMatchObject({ code: "too_many_sessions", status: 503, retryAfterS: 5 });
    expect(told).toEqual({ capacity: 1, queue_position: 1, ticket: expect.any(String) });
    expect(manager.capacity()).toEqual({ sessions: 1, cause: "sessions", waiting: 1 });
  });

  it("[SES6] gives the place of a session that is being deleted to the next one at once", async () => {
    const { open, manager, run } = await rig({ maxSessions: 1 });
    const left = await open();
    const deleted = left.delete();
    await open();
    await run(1000);
    await deleted;
    expect(manager.count).toBe(1);
  });

  it("[SES13] is what the memory holds, where the pipeline says what a stream needs", async () => {
    const MiB = 1024 * 1024;
    let free = 1000 * MiB; // of which 256 are kept back
    const { open, refused, manager, run } = await rig({
      needs: { loadBytes: 0, streamBytes: 300 * MiB },
      availableBytes: () => free,
    });
    await open();
    await open();
    // Before they have taken their memory and after.
    const { error, told } = await refused();
    expect(error.message).toContain("already has 2 sessions, as many as its memory holds");
    free -= 600 * MiB;
    await run(2000);
    expect((await refused(told.ticket!)).told.capacity).toBe(2);
    free += 300 * MiB;
    await open(told.ticket!);
    expect(manager.count).toBe(3);
  });

  it("[SES13] counts streams of a newly loaded pipeline before they have taken their memory", async () => {
    const { open, refused, manager, run, clock } = await rig({ availableBytes: () => 3e9 });
    await open();
    await open();
    await run(2000);
    await manager.release("large");
    await manager.adopt(stubPipeline({ clock, id: "large", needs: { loadBytes: 0, streamBytes: 1e9 } }));
    // 3 GB less what is kept back: the two that are there, and no third.
    expect((await refused()).told.capacity).toBe(2);
  });

  it("[SES13] is what the model can serve at two frames a second each, and one at least", async () => {
    const fast = await rig({ chunkMs: 2000 }); // 12 frames in 2 s: 3 viewers at 2 frames a second
    await fast.open();
    expect(fast.manager.capacity().sessions).toBe(8);
    await fast.run(15_000);
    expect(fast.manager.capacity()).toMatchObject({ sessions: 3, cause: "time" });
    const slow = await rig({ chunkMs: 20_000 });
    await slow.open();
    await slow.run(120_000);
    expect(slow.manager.capacity()).toMatchObject({ sessions: 1, cause: "time" });
    expect((await slow.refused()).error.message).toContain("as many as its model can serve");
  });

  it("[SES18] is kept when another pipeline needs more: whom it has no room for is told", async () => {
    const { open, manager, media, clock } = await rig();
    for (let i = 0; i < 3; i++) await open();
    await manager.release("large");
    const large = stubPipeline({ clock, id: "large", needs: { loadBytes: 0, streamBytes: 4e11 } });
    await manager.adopt(large);
    expect(manager.count).toBe(2);
    expect(media.peers[2]!.told("stream_stopped")[0]).toMatchObject({
      reason: "pipeline_failed",
      code: "out_of_memory",
    });
  });
});

describe("the line", () => {
  it("[SES14] lets those in who came first, and keeps the places of those who ask again in time", async () => {
    const { open, refused, run } = await rig({ maxSessions: 1 });
    const session = await open();
    const first = (await refused()).told;
    const second = (await refused()).told;
    expect([first.queue_position, second.queue_position]).toEqual([1, 2]);
    for (let i = 0; i < 6; i++) {
      await run(10_000);
      expect((await refused(first.ticket!)).told).toEqual(first);
      expect((await refused(second.ticket!)).told).toEqual(second);
    }
    await session.close("deleted");
    // The place is the first one's, whoever asks.
    expect((await refused()).told.queue_position).toBe(3);
    expect((await refused(second.ticket!)).told.queue_position).toBe(2);
    await open(first.ticket!);
    expect((await refused(second.ticket!)).told.queue_position).toBe(1);
  });

  it("[SES14] forgets those who do not ask again for half a minute", async () => {
    const { open, refused, run } = await rig({ maxSessions: 1 });
    const session = await open();
    const gone = (await refused()).told;
    await run(25_000);
    const patient = (await refused()).told;
    expect(patient.queue_position).toBe(2);
    await run(6000);
    expect((await refused(patient.ticket!)).told.queue_position).toBe(1);
    expect((await refused(gone.ticket!)).told.queue_position).toBe(2);
    await session.close("deleted");
    await open(patient.ticket!);
  });

  it("[SES14] holds no place for a client that knows nothing of tickets and takes a new one each time", async () => {
    const { open, refused, run } = await rig({ maxSessions: 1 });
    const session = await open();
    for (let i = 0; i < 5; i++) {
      await refused();
      await run(5000);
    }
    await session.close("deleted");
    await open();
  });

  it("[SES14] is bounded", async () => {
    const { open, refused } = await rig({ maxSessions: 1 });
    await open();
    for (let i = 0; i < 100; i++) await refused();
    expect((await refused()).told).toEqual({ capacity: 1, queue_position: null, ticket: null });
  });

  it("[SES15] gets the places of interrupted sessions, the longest lost first", async () => {
    const { open, media, manager, run, refused } = await rig({ maxSessions: 2 });
    const one = await open();
    const two = await open();
    media.peers[1]!.fallSilent();
    await run(3000);
    media.peers[0]!.fallSilent();
    await run(12_000);
    expect(manager.interrupted).toBe(2);
    await open();
    expect([one.state, two.state]).toEqual(["interrupted", "closed"]);
    await open();
    expect(one.state).toBe("closed");
    await refused();
    expect(manager.count).toBe(2);
  });

  it("[SES15] leaves a session alone whose client has just made another connection", async () => {
    const { open, manager, refused } = await rig({ maxSessions: 1 });
    const session = await open();
    await manager.resume(session.id, offerOf("again"));
    expect(session.state).toBe("interrupted");
    await refused();
    expect(session.state).toBe("interrupted");
  });
});
