import { join } from "node:path";
import { findWan13b } from "@everframe/longlive";
import { describe, expect, it } from "vitest";
import { HubClient } from "./hub-client.ts";
import { readHubSettings } from "./hub-settings.ts";
import { artifactsOf, GROUP_NAMES, modelPath } from "./model-catalogue.ts";

const pathsOf = (id: string) =>
  artifactsOf(id).flatMap((artifact) => artifact.files.map((file) => modelPath(artifact, file)));

describe("the catalogue", () => {
  it("has every file that the 1.3B model needs", () => {
    const needed = findWan13b(join("no", "such", "folder")).missing;
    expect(needed.length).toBeGreaterThan(0);
    expect(pathsOf("longlive")).toEqual(expect.arrayContaining([...needed]));
  });

  it("has every autoencoder in the group vae, and knows no group of another name", () => {
    expect(pathsOf("vae")).toEqual([
      "Wan2.1-T2V-1.3B/Wan2.1_VAE.pth",
      "Autoencoders/lightvaew2_1.pth",
      "Autoencoders/taew2_1.pth",
      "Autoencoders/lighttaew2_1.pth",
    ]);
    expect(GROUP_NAMES.every((name) => artifactsOf(name).length > 0)).toBe(true);
    expect([artifactsOf("passthrough"), artifactsOf("constructor")]).toEqual([[], []]);
  });
});

describe("readHubSettings", () => {
  it("follows the variables of the hub's other clients", () => {
    expect(readHubSettings({ HF_HOME: "/hf", HF_TOKEN: " hf_x\n", HF_ENDPOINT: "https://mirror.test/hub/" })).toEqual({
      cacheDir: join("/hf", "hub"),
      token: "hf_x",
      endpoint: "https://mirror.test/hub",
      offline: false,
    });
    const settings = readHubSettings({ HF_HUB_CACHE: "/cache", HF_HOME: "/hf", HF_HUB_OFFLINE: "TRUE" });
    expect(settings).toMatchObject({ cacheDir: "/cache", offline: true, token: undefined });
    expect(readHubSettings({ XDG_CACHE_HOME: "/x" })).toMatchObject({
      cacheDir: join("/x", "huggingface", "hub"),
      endpoint: "https://huggingface.co",
    });
  });

  it("gives an endpoint that is no web address to a client that refuses it", () => {
    for (const HF_ENDPOINT of ["huggingface.co", "file:///etc", "https://"]) {
      expect(() => new HubClient(readHubSettings({ HF_ENDPOINT }))).toThrow("HF_ENDPOINT");
    }
  });
});
