import { ApiError } from "@everframe/protocol";
import { describe, expect, it } from "vitest";
import { parseInitialParameters, SessionParameters } from "./parameters.ts";

/** Knows one uploaded image. */
function resolveAsset(path: string): string {
  if (path === "face.png") return "/assets/face.png";
  throw new ApiError("asset_not_found", { path });
}
const send = (parameters: SessionParameters, message: object) => parameters.receive(JSON.stringify(message));

describe("SessionParameters", () => {
  it("[PAR11] starts with the defaults and what the offer names, and leaves VACE to the load", () => {
    const initial = parseInitialParameters({ prompts: "anime", vace_ref_images: ["face.png"] }, resolveAsset);
    expect(new SessionParameters(initial, resolveAsset).current).toMatchObject({
      noiseScale: 0.7,
      prompts: [{ text: "anime", weight: 1 }],
      vaceRefImages: ["/assets/face.png"],
    });
    expect(new SessionParameters({}, resolveAsset).current).not.toHaveProperty("vaceEnabled");
    expect(new SessionParameters({ vaceEnabled: true }, resolveAsset).current.vaceEnabled).toBe(true);
  });

  it("[PAR4] shows a chunk the newest of a burst of messages", () => {
    const parameters = new SessionParameters({}, resolveAsset);
    for (let i = 0; i <= 100; i++) expect(send(parameters, { noise_scale: i / 100 })).toEqual([]);
    expect(parameters.take().noiseScale).toBe(1);
  });

  it("[PAR5] gives what acts once to one chunk, however many messages come before it", () => {
    const parameters = new SessionParameters({}, resolveAsset);
    send(parameters, { reset_cache: true });
    send(parameters, { noise_scale: 0.2 });
    expect(parameters.take()).toMatchObject({ resetCache: true, noiseScale: 0.2 });
    expect(parameters.take()).not.toHaveProperty("resetCache");
  });

  it("[PAR8][PAR9] rejects bad fields and images that were not uploaded, and takes their neighbours", () => {
    const parameters = new SessionParameters({}, resolveAsset);
    const message = { request_id: 7, noise_scale: 9, base_seed: 3, first_frame_image: "nowhere.png" };
    expect(send(parameters, message)).toMatchObject([
      {
        type: "parameters_rejected",
        request_id: 7,
        rejected: [
          { field: "noise_scale", allowed: "a number from 0 to 1" },
          { field: "first_frame_image", reason: expect.stringContaining("not found") },
        ],
      },
    ]);
    expect(parameters.takeApplied()).toMatchObject({ parameters: { base_seed: 3 }, request_ids: [7] });
    expect(parameters.current).toMatchObject({ noiseScale: 0.7, baseSeed: 3 });
    expect(parameters.current).not.toHaveProperty("firstFrameImage");
  });

  it("[PAR7] answers what is no JSON object with an error", () => {
    const parameters = new SessionParameters({}, resolveAsset);
    for (const text of ["{bad", "[]", "null", '"text"', "5", ""]) {
      expect(parameters.receive(text), text).toMatchObject([{ type: "error", code: "invalid_request" }]);
      expect(parameters.takeApplied()).toBeUndefined();
    }
  });

  it("[PAR13] names all that came since the last chunk when the chunk that uses it starts, once", () => {
    const parameters = new SessionParameters({}, resolveAsset);
    parameters.take();
    expect(parameters.takeApplied()).toBeUndefined();
    expect(send(parameters, { request_id: "a", noise_scale: 0.1, colour: "red" })).toEqual([]);
    expect(send(parameters, { request_id: 2, noise_scale: 0.2, prompts: "anime" })).toEqual([]);
    expect(send(parameters, { vace_ref_images: ["face.png"] })).toEqual([]);
    parameters.take();
    expect(parameters.takeApplied()).toEqual({
      type: "parameters_applied",
      parameters: {
        noise_scale: 0.2,
        prompts: [{ text: "anime", weight: 1 }],
        vace_ref_images: ["/assets/face.png"],
      },
      chunk: 1,
      request_ids: ["a", 2],
      ignored: ["colour"],
    });
    expect(parameters.takeApplied()).toBeUndefined();
  });

  it("[PAR13] names no chunk where none has started", () => {
    const parameters = new SessionParameters({}, resolveAsset);
    parameters.take();
    parameters.takeApplied();
    // As after a reload of a pipeline that works frame by frame.
    send(parameters, { base_seed: 5 });
    expect(parameters.takeApplied()).not.toHaveProperty("chunk");
    send(parameters, { base_seed: 6 });
    parameters.take();
    expect(parameters.takeApplied()).toMatchObject({ chunk: 1 });
  });

  it("[PAR14] answers at once what no chunk has to wait for", () => {
    const parameters = new SessionParameters({}, resolveAsset);
    const answer = (fields: object, ids: unknown[]) => ({
      type: "parameters_applied",
      parameters: fields,
      request_ids: ids,
    });
    expect(send(parameters, { request_id: 1, paused: true })).toEqual([answer({ paused: true }, [1])]);
    expect(send(parameters, { request_id: 2 })).toEqual([answer({}, [2])]);
    expect(send(parameters, { colour: "red" })).toEqual([{ ...answer({}, []), ignored: ["colour"] }]);
    expect(parameters.takeApplied()).toBeUndefined();
    const both = { request_id: 3, paused: false, base_seed: 5 };
    expect(send(parameters, both)).toEqual([answer({ paused: false }, [3])]);
    expect(parameters.takeApplied()).toEqual(answer({ base_seed: 5 }, [3]));
  });

  it("does not take an id of another type for one, and bounds how many it keeps", () => {
    const parameters = new SessionParameters({}, resolveAsset);
    send(parameters, { request_id: { a: 1 }, base_seed: 5 });
    for (let i = 0; i < 1000; i++) send(parameters, { request_id: i, base_seed: i });
    const { request_ids: ids } = parameters.takeApplied()!;
    expect([ids.length, ids[0], ids.at(-1)]).toEqual([256, 744, 999]);
  });

  it("takes parameters that come another way by the same rules", () => {
    const parameters = new SessionParameters({}, resolveAsset);
    const parsed = parameters.update({ noise_scale: 0.3, paused: true, base_seed: -1, colour: 1 });
    expect(parsed).toMatchObject({
      accepted: { noiseScale: 0.3, paused: true },
      rejected: [{ field: "base_seed" }],
      issues: [{ type: "greater_than_equal", loc: ["base_seed"] }],
      ignored: ["colour"],
    });
    expect(parameters.current).toMatchObject({ noiseScale: 0.3, paused: true });
    expect(parameters.takeApplied()).toMatchObject({ parameters: { noise_scale: 0.3 }, request_ids: [] });
  });
});
