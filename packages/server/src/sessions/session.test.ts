/** A session's life on a virtual clock, over a transport that the test commands. */
import { ApiError } from "@everframe/protocol";
import { describe, expect, it } from "vitest";
import { ImageDecoder } from "../assets/image-decoder.ts";
import { createLogger } from "../logger.ts";
import { passthrough } from "../pipelines/passthrough.ts";
import { fakeMedia, offerOf } from "../testing/fake-media.ts";
import { type StubOptions, stubPipeline } from "../testing/stub-pipeline.ts";
import { VirtualClock } from "../testing/virtual-clock.ts";
import type { I420Frame } from "../webrtc/media-peer.ts";
import { SessionManager } from "./session-manager.ts";

const PICTURE: I420Frame = { width: 2, height: 2, data: new Uint8Array(6) };

function rig(stub: Partial<StubOptions> = {}) {
  const clock = new VirtualClock();
  const media = fakeMedia(clock);
  const logLines: string[] = [];
  const manager = new SessionManager({
    media,
    clock,
    iceServers: async () => [],
    resolveAsset: (path) => path,
    imageDecoder: new ImageDecoder(),
    graceMs: 30_000,
    maxSessions: 8,
    minFps: 2,
    availableBytes: () => 1e12,
    log: createLogger("info", (line) => logLines.push(line)),
  });
  const pipeline = stubPipeline({ clock, ...stub });
  const peer = (index: number) => media.peers[index]!;
  const run = (ms: number) => clock.advanceAsync(ms, 20);
  /** Opens a session whose client connects at once. */
  const open = async (initial = {}) => {
    const { sessionId } = await manager.open(pipeline, offerOf(`c${media.peers.length}`), initial);
    media.peers.at(-1)!.connect();
    return manager.get(sessionId);
  };
  return { clock, media, manager, pipeline, peer, run, open, logLines };
}

describe("a session whose client is lost", () => {
  it("[SES4] is interrupted within 8 s of silence, and no work is done for it", async () => {
    const { run, open, peer, pipeline, manager } = rig();
    const session = await open();
    await run(3000);
    expect(session.state).toBe("live");
    peer(0).fallSilent();
    await run(8000);
    expect(session.state).toBe("interrupted");
    expect([manager.count, manager.interrupted]).toEqual([0, 1]);
    await run(1000);
    const [chunks, frames] = [pipeline.begun.length, peer(0).sent.length];
    await run(10_000);
    expect([pipeline.begun.length, peer(0).sent.length]).toEqual([chunks, frames]);
  });

  it("[SES9] goes on where it was when packets come again", async () => {
    const { run, open, peer, pipeline } = rig();
    const session = await open({ noiseScale: 0.3 });
    await run(3000);
    peer(0).fallSilent();
    await run(20_000);
    const chunks = pipeline.begun.length;
    peer(0).speakAgain();
    await run(4000);
    expect(session.state).toBe("live");
    const later = pipeline.begun.slice(chunks);
    expect(later.length).toBeGreaterThan(2);
    expect(later[0]).toMatchObject({ stream: 0, chunk: chunks, parameters: { noiseScale: 0.3 } });
    expect(peer(0).told("stream_stopped")).toEqual([]);
  });

  it("[SES9] is given up after a grace of 30 s, and frees everything", async () => {
    const { run, open, peer, pipeline, manager, logLines } = rig();
    const session = await open();
    await run(3000);
    peer(0).fallSilent();
    await run(8000);
    await run(27_000);
    expect(manager.find(session.id)).toBe(session);
    await run(5000);
    expect(manager.find(session.id)).toBeUndefined();
    expect(session.state).toBe("closed");
    expect(pipeline.open.size).toBe(0);
    expect(peer(0).isClosed).toBe(true);
    expect(logLines.at(-1)).toMatch(/session closed.*peer_lost/);
  });

  it("[SES5] is given up when it never connects", async () => {
    const { run, manager, pipeline } = rig();
    await manager.open(pipeline, offerOf("a"), {});
    await run(29_000);
    expect(manager.count).toBe(1);
    await run(2000);
    expect(manager.list()).toEqual([]);
    expect(pipeline.open.size).toBe(0);
  });

  it("[SES1] is none that says goodbye: that one ends at once, and is told nothing", async () => {
    const { run, open, peer, pipeline, manager } = rig();
    await open();
    await run(2000);
    peer(0).sayGoodbye();
    expect(manager.list()).toEqual([]);
    await run(100);
    expect(pipeline.open.size).toBe(0);
    expect(peer(0).told("stream_stopped")).toEqual([]);
  });
});

describe("another offer for a session", () => {
  it("[SES11] takes it over from a new connection, with its parameters and the state of its model", async () => {
    const { run, open, peer, pipeline, manager } = rig();
    const session = await open({ noiseScale: 0.3, prompts: [{ text: "grey", weight: 1 }] });
    await run(3000);
    const chunks = pipeline.begun.length;
    peer(0).say({ base_seed: 5 });
    const answer = await manager.resume(session.id, offerOf("other"));
    expect(answer).toEqual({ sessionId: session.id, sdp: `answer to ${offerOf("other")}` });
    expect(peer(0).isClosed).toBe(true);
    expect(session.state).toBe("interrupted");
    peer(1).connect();
    expect(session.state).toBe("live");
    // What was seen last is seen again at once.
    expect(peer(1).sent).toHaveLength(1);
    await run(3000);
    expect(pipeline.begun[chunks]).toMatchObject({
      stream: 0,
      chunk: chunks,
      parameters: { noiseScale: 0.3, baseSeed: 5, prompts: [{ text: "grey" }] },
    });
    expect(peer(1).sent.length).toBeGreaterThan(12);
    peer(0).sayGoodbye();
    peer(0).say({ base_seed: 9 });
    expect(session.state).toBe("live");
    expect(session.parameters.current.baseSeed).toBe(5);
  });

  it("[SES11] is the one that candidates are for which come before its answer", async () => {
    const { open, peer, media, manager } = rig();
    const session = await open();
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const createPeer = media.createPeer.bind(media);
    media.createPeer = (...args) => Object.assign(createPeer(...args), { beforeAnswer: held });
    const answer = manager.resume(session.id, offerOf("other"));
    const added = session.addCandidates([{ candidate: "candidate:1" }]);
    release();
    await Promise.all([answer, added]);
    expect([peer(0).candidates, peer(1).candidates]).toEqual([[], ["candidate:1"]]);
  });

  it("[SES11] takes the parameters that come with it", async () => {
    const { run, open, manager } = rig();
    const session = await open({ noiseScale: 0.3, baseSeed: 4 });
    await manager.resume(session.id, offerOf("other"), { noise_scale: 0.9 });
    await run(100);
    expect(session.parameters.current).toMatchObject({ noiseScale: 0.9, baseSeed: 4 });
  });

  it("[SES10] restarts ICE when it comes from the same connection", async () => {
    const { run, open, peer, media, manager } = rig();
    const session = await open();
    await run(1000);
    peer(0).fallSilent();
    await run(10_000);
    expect(session.state).toBe("interrupted");
    await run(25_000);
    await manager.resume(session.id, offerOf("c0", 2));
    expect(media.peers).toHaveLength(1);
    expect(peer(0).offers).toHaveLength(2);
    // The grace begins anew with the offer.
    await run(20_000);
    peer(0).speakAgain();
    await run(2000);
    expect(session.state).toBe("live");
  });

  it("[SES12] is answered 404 when there is no such session, or no more", async () => {
    const { open, manager } = rig();
    await expect(manager.resume("none", offerOf("a"))).rejects.toMatchObject({ code: "session_not_found" });
    const session = await open();
    await session.close("deleted");
    await expect(manager.resume(session.id, offerOf("a"))).rejects.toMatchObject({ code: "session_not_found" });
  });

  it("[SES11] leaves the session as it was when it cannot be used", async () => {
    const { run, open, peer, media, manager } = rig();
    const session = await open();
    await run(1000);
    await expect(manager.resume(session.id, "")).rejects.toThrow();
    expect(media.peers.map((one) => one.isClosed)).toEqual([false, true]);
    expect(session.state).toBe("live");
    const frames = peer(0).sent.length;
    await run(1000);
    expect(peer(0).sent.length).toBeGreaterThan(frames);
  });
});

describe("a reload while people watch", () => {
  it("[SES16][SES17] is announced, holds the last picture, and goes on with the same parameters", async () => {
    const { clock, run, open, peer, pipeline, manager } = rig();
    const session = await open({ noiseScale: 0.3 });
    await run(3250); // in the middle of a chunk, with pictures waiting
    await manager.release("next");
    const held = peer(0).sent.at(-1)!.frame;
    const count = peer(0).sent.length;
    expect(pipeline.open.size).toBe(0);
    expect(peer(0).messages.at(-1)).toEqual({ type: "pipeline_reloading", pipeline_id: "next" });
    await run(5000);
    expect(session.state).toBe("live");
    expect(
      new Set(
        peer(0)
          .sent.slice(count)
          .map((one) => one.frame),
      ),
    ).toEqual(new Set([held]));
    peer(0).say({ base_seed: 8 });
    const next = stubPipeline({ clock, id: "next", size: { width: 4, height: 6 } });
    await manager.adopt(next);
    const told = { type: "pipeline_reloaded", pipeline_id: "next", model: "next-model", width: 4, height: 6 };
    expect(peer(0).told("pipeline_reloaded")).toEqual([told]);
    await run(3000);
    const types = peer(0).messages.map((one) => one.type);
    expect(types.indexOf("pipeline_reloaded")).toBeLessThan(types.lastIndexOf("parameters_applied"));
    expect(next.begun[0]).toMatchObject({ chunk: 0, parameters: { noiseScale: 0.3, baseSeed: 8 } });
    expect(peer(0).sent.at(-1)!.frame).toMatchObject({ width: 4, height: 6 });
    expect(pipeline.open.size).toBe(0);
  });

  it("[SES16][PAR11] goes to a passthrough and back, and without `vace_enabled` of the client takes the load's", async () => {
    const { clock, run, open, peer, manager } = rig();
    await open({ inputMode: "video" });
    const { loadParams } = stubPipeline({ clock });
    await manager.release("passthrough");
    const context = {
      signal: new AbortController().signal,
      onStage: () => {},
      onNotice: () => {},
      onCrash: () => {},
    };
    await manager.adopt(await passthrough.load(loadParams, context));
    peer(0).show({ ...PICTURE });
    await run(100);
    expect(peer(0).sent).toHaveLength(1);
    expect(peer(0).told("pipeline_reloaded")[0]).toMatchObject({ model: "passthrough", width: null });
    await manager.release("back");
    const back = stubPipeline({ clock, id: "back", loadParams: { vaceEnabled: false } });
    await manager.adopt(back);
    for (let i = 0; i < 30; i++) {
      peer(0).show({ ...PICTURE });
      await run(33);
    }
    await run(1000);
    expect(back.begun[0]).toMatchObject({ parameters: { vaceEnabled: false, inputMode: "video" } });
  });

  it("[SES18] that fails is told, with the reason", async () => {
    const { run, open, peer, manager } = rig();
    await open();
    await run(2000);
    await manager.release("next");
    const error = new ApiError("load_failed", { pipelineId: "next", reason: "the disk is gone" });
    await manager.closeAll("pipeline_failed", error);
    expect(peer(0).told("stream_stopped")).toEqual([
      { type: "stream_stopped", reason: "pipeline_failed", code: "load_failed", error_message: error.message },
    ]);
    expect(manager.list()).toEqual([]);
  });

  it("[SES18] whose stream cannot be opened ends the session", async () => {
    const { clock, open, peer, manager } = rig();
    await open();
    await manager.release("next");
    const onOpen = () => {
      throw new ApiError("out_of_memory", { reason: "the stream does not fit" });
    };
    await manager.adopt(stubPipeline({ clock, id: "next", onOpen }));
    expect(peer(0).told("stream_stopped")[0]).toMatchObject({ reason: "pipeline_failed", code: "out_of_memory" });
    expect(manager.list()).toEqual([]);
  });

  it("waits with a client that connects, or comes back, in the middle of it", async () => {
    const { clock, run, open, peer, pipeline, manager } = rig();
    const first = await open();
    const late = manager.open(pipeline, offerOf("late"), {});
    await manager.release("next");
    const lateId = (await late).sessionId;
    await manager.resume(first.id, offerOf("again"));
    peer(1).connect();
    peer(2).connect();
    expect(peer(2).told("pipeline_reloading")).toHaveLength(1);
    await run(1000);
    const next = stubPipeline({ clock, id: "next" });
    await manager.adopt(next);
    await run(2000);
    expect(next.open.size).toBe(2);
    expect(pipeline.open.size).toBe(0);
    for (const one of [peer(1), peer(2)]) expect(one.sent.length).toBeGreaterThan(12);
    await manager.get(lateId).close("deleted");
    await first.close("deleted");
    expect(next.open.size).toBe(0);
  });

  it("takes a second reload that comes during the first", async () => {
    const { clock, run, open, peer, manager } = rig();
    await open();
    await manager.release("one");
    await manager.release("two");
    const two = stubPipeline({ clock, id: "two" });
    await manager.adopt(two);
    await run(2000);
    expect(
      peer(0)
        .told("pipeline_reloading")
        .map((one) => one.pipeline_id),
    ).toEqual(["one", "two"]);
    expect(two.open.size).toBe(1);
  });
});

describe("the client's messages and pictures", () => {
  it("[PAR15] are read in moderation", async () => {
    const { run, open, peer } = rig();
    const session = await open();
    for (let i = 0; i < 5000; i++) peer(0).say({ base_seed: i });
    expect(
      peer(0)
        .told("error")
        .map((one) => one.code),
    ).toEqual(["too_many_messages"]);
    await run(1500);
    expect(session.parameters.current.baseSeed).toBe(4999);
  });

  it("[STR10] are asked for when video mode waits for them", async () => {
    const { run, open, peer } = rig();
    await open({ inputMode: "video" });
    await run(20_000);
    expect(
      peer(0)
        .told("error")
        .map((one) => one.code),
    ).toEqual(["no_input"]);
    peer(0).say({ input_mode: "text" });
    await run(20_000);
    expect(peer(0).told("error")).toHaveLength(1);
  });

  it("[SES1] nothing is sent to a client that deletes its session and leaves", async () => {
    const { run, open, peer } = rig();
    const session = await open();
    await run(100);
    const before = peer(0).messages.length;
    const deleted = session.delete();
    peer(0).sayGoodbye();
    await run(1000);
    await deleted;
    expect(peer(0).messages).toHaveLength(before);
    expect(session.state).toBe("closed");
  });

  it("[SES2] a client whose session somebody else deletes is told", async () => {
    const { run, open, peer } = rig();
    const session = await open();
    await run(100);
    const deleted = session.delete();
    await run(1000);
    await deleted;
    expect(peer(0).told("stream_stopped")).toEqual([{ type: "stream_stopped", reason: "deleted" }]);
  });

  it("[SES21] the end that a client did not ask for is told with its reason", async () => {
    const { run, open, peer, manager } = rig();
    for (let i = 0; i < 3; i++) await open();
    await manager.open(stubPipeline({ clock: new VirtualClock() }), offerOf("connecting"), {});
    await run(100);
    await manager.closeAll("server_shutdown");
    for (let i = 0; i < 4; i++) {
      expect(peer(i).told("stream_stopped")).toEqual([{ type: "stream_stopped", reason: "server_shutdown" }]);
    }
  });
});
