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
  it("[PAR11] starts with the defaults, what the load says of VACE, and what the offer names", () => {
    const initial = parseInitialParameters({ prompts: "anime", vace_ref_images: ["face.png"] }, resolveAsset);
    expect(new SessionParameters(initial, true, resolveAsset).current).toMatchObject({
      noiseScale: 0.7,
      vaceEnabled: true,
      prompts: [{ text: "anime", weight: 1 }],
      vaceRefImages: ["/assets/face.png"],
    });
    expect(new SessionParameters({}, false, resolveAsset).current.vaceEnabled).toBe(false);
    expect(new SessionParameters({ vaceEnabled: true }, false, resolveAsset).current.vaceEnabled).toBe(true);
  });

  it("[PAR4] shows a chunk the newest of a burst of messages", () => {
    const parameters = new SessionParameters({}, false, resolveAsset);
    for (let i = 0; i <= 100; i++) expect(send(parameters, { noise_scale: i / 100 })).toBeUndefined();
    expect(parameters.take().noiseScale).toBe(1);
  });

  it("[PAR5] gives what acts once to one chunk, however many messages come before it", () => {
    const parameters = new SessionParameters({}, false, resolveAsset);
    send(parameters, { reset_cache: true });
    send(parameters, { noise_scale: 0.2 });
    expect(parameters.take()).toMatchObject({ resetCache: true, noiseScale: 0.2 });
    expect(parameters.take()).not.toHaveProperty("resetCache");
  });

  it("[PAR8][PAR9] rejects bad fields and images that were not uploaded, and takes their neighbours", () => {
    const parameters = new SessionParameters({}, false, resolveAsset);
    const reply = send(parameters, { noise_scale: 9, base_seed: 3, first_frame_image: "nowhere.png" });
    expect(reply).toMatchObject({
      type: "parameters_rejected",
      rejected: [
        { field: "noise_scale", allowed: "a number from 0 to 1" },
        { field: "first_frame_image", reason: expect.stringContaining("not found") },
      ],
    });
    expect(parameters.current).toMatchObject({ noiseScale: 0.7, baseSeed: 3 });
    expect(parameters.current).not.toHaveProperty("firstFrameImage");
  });

  it("[PAR7] answers what is no JSON object with an error", () => {
    const parameters = new SessionParameters({}, false, resolveAsset);
    for (const text of ["{bad", "[]", "null", '"text"', "5", ""]) {
      expect(parameters.receive(text), text).toMatchObject({ type: "error", code: "invalid_request" });
    }
  });
});
