// The conductor against a real HTTP server that plays the pipeline's part. What needs a camera is tested in a browser.
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createClient } from "@everframe/client";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { State } from "../state/state.ts";
import { addEvent, EMPTY_TIMELINE } from "../state/timeline.ts";
import { LIVE_PARAMETERS, LOAD_PARAMETERS } from "../testing/schema.ts";
import { Studio } from "./studio.ts";

type Status = {
  status: string;
  pipeline_id: string | null;
  load_params: object | null;
  error: string | null;
  loaded_lora_adapters?: unknown;
};

const loaded = (params: object, pipeline = "longlive"): Status => ({
  status: "loaded",
  pipeline_id: pipeline,
  load_params: { width: 384, height: 224, seed: 42, vace_enabled: true, ...params },
  error: null,
});
const NOTHING: Status = { status: "not_loaded", pipeline_id: null, load_params: null, error: null };

let status: Status;
let loads: Record<string, unknown>[];
let http: Server;
let url: string;
let close: () => void;

beforeEach(async () => {
  status = NOTHING;
  loads = [];
  http = createServer((request, response) => {
    if (request.url?.endsWith("/load")) {
      request.setEncoding("utf8").once("data", (text: string) => {
        const body = JSON.parse(text);
        loads.push(body);
        status = loaded(body.load_params, body.pipeline_id);
      });
    }
    response.writeHead(200, { "Content-Type": "application/json" });
    if (request.url?.endsWith("/schemas")) {
      const schema = { id: "longlive", parameters: LIVE_PARAMETERS, load_parameters: LOAD_PARAMETERS };
      response.end(JSON.stringify({ pipelines: { longlive: schema } }));
      return;
    }
    response.end(JSON.stringify({ ...status, model: null, loading_stage: null, message: "" }));
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  close = () => {};
});
afterEach(async () => {
  close();
  http.closeAllConnections();
  await new Promise((resolve) => http.close(resolve));
});

function openStudio(address = url): Studio {
  const studio = new Studio(createClient({ url: address }));
  close = studio.open();
  return studio;
}

/** Waits until the state fulfils the condition. */
function until(studio: Studio, condition: (state: State) => boolean): Promise<void> {
  return new Promise((resolve) => {
    const look = () => {
      if (!condition(studio.store.get())) return;
      unsubscribe();
      resolve();
    };
    const unsubscribe = studio.store.subscribe(look);
    look();
  });
}

test("the first visit loads the pipeline by itself, once, ready for both modes", async () => {
  const studio = openStudio();
  await until(studio, ({ pipeline }) => pipeline?.status === "loaded");
  expect(loads).toEqual([{ pipeline_id: "longlive", load_params: { vace_enabled: true, seed: 42 } }]);
});

test("what someone else has loaded is taken over, not loaded again", async () => {
  status = loaded({ width: 576, height: 320, vace_enabled: false }, "passthrough");
  const studio = openStudio();
  studio.sendPrompt("sepia");
  studio.setLook({ ...studio.store.get().settings.look, mode: "vace" });
  await until(studio, ({ settings }) => settings.load.pipeline === "passthrough");
  expect(loads).toEqual([]);
  expect(studio.store.get().settings.look.mode).toBe("normal");
});

test("another size and a mode that was not loaded load again; a slider does not", async () => {
  status = loaded({ vace_enabled: false });
  const studio = openStudio();
  await until(studio, ({ pipeline }) => pipeline?.status === "loaded");
  studio.setValue("noiseScale", 0.2);
  studio.patchLook({ mode: "vace" });
  await until(studio, ({ pipeline }) => pipeline?.vaceEnabled === true);
  void studio.watch.choose({ size: { width: 576, height: 320 } });
  await until(studio, ({ pipeline }) => pipeline?.size?.width === 576);
  expect(loads.map(({ load_params }) => load_params)).toEqual([
    { vace_enabled: true, seed: 42 },
    { vace_enabled: true, seed: 42, width: 576, height: 320 },
  ]);
});

test("a knob moves what it was bound to, over the whole range that the server names", async () => {
  status = loaded({});
  const studio = openStudio();
  await until(studio, ({ schemas }) => schemas["longlive"] !== undefined);
  studio.patchLook({ mode: "vace" });
  studio.moveSlider("vaceContextScale", 1);
  studio.moveSlider("weight:0", 0.5);
  studio.moveSlider("transitionChunks", 0.5);
  expect(studio.store.get().settings.look).toMatchObject({
    values: { vaceContextScale: 2 },
    prompts: [{ weight: 0.5 }],
    transitionChunks: 12,
  });
});

test("LoRAs that can be played have a slider each, and changing the list loads again", async () => {
  status = { ...loaded({}), loaded_lora_adapters: [{ path: "styles/ink.safetensors", scale: 0.8 }] };
  const studio = openStudio();
  await until(studio, ({ pipeline }) => pipeline?.loras.length === 1);
  studio.moveSlider("lora:ink", 1);
  studio.moveSlider("lora:gone", 0);
  const { values } = studio.store.get().settings.look;
  expect(values["loraScales"]).toEqual([{ path: "styles/ink.safetensors", scale: 2 }]);
  await studio.setLoras([{ path: "oil.safetensors", scale: 1, mergeMode: "runtime_peft" }]);
  await until(studio, ({ pipeline }) => pipeline?.loras.length === 0);
  expect(studio.store.get().settings.look.values["loraScales"]).toEqual([]);
  expect(loads).toEqual([
    {
      pipeline_id: "longlive",
      load_params: expect.objectContaining({
        loras: [{ path: "oil.safetensors", scale: 1, merge_mode: "runtime_peft" }],
      }),
    },
  ]);
});

test("a timeline plays its changes, and writes down what is changed while it is armed", async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "performance"] });
  try {
    const studio = openStudio();
    const { timeline, store } = studio;
    timeline.edit(
      addEvent(addEvent(EMPTY_TIMELINE, 0, { prompts: [{ text: "gold", weight: 1 }] }), 2, { mode: "vace" }),
    );
    timeline.play();
    expect(store.get().settings.look.prompts[0]?.text).toBe("gold");
    vi.advanceTimersByTime(2_100);
    expect(store.get().settings.look.mode).toBe("vace");
    store.update({ isArmed: true });
    studio.setValue("noiseScale", 0.1);
    expect(store.get().timeline.events).toHaveLength(3);
    vi.advanceTimersByTime(29_000);
    expect(store.get().playheadS).toBeCloseTo(1.1, 1);
    expect(store.get().timeline.events).toHaveLength(3);
  } finally {
    vi.useRealTimers();
  }
});

test("a load that failed is told with the server's reason and can be tried again", async () => {
  status = { ...NOTHING, status: "error", error: "Failed to load pipeline longlive: no weights" };
  const studio = openStudio();
  await until(studio, ({ notice }) => notice !== undefined);
  expect(studio.store.get().notice).toMatchObject({ action: "load", help: status.error });
  await studio.watch.load();
  await until(studio, ({ pipeline }) => pipeline?.status === "loaded");
  expect(studio.store.get().notice).toBeUndefined();
});

test("a LoRA that cannot be used can be left out, the others stay", async () => {
  status = {
    ...NOTHING,
    status: "error",
    error: "The LoRA nowhere.safetensors cannot be used: there is no such file.",
  };
  const studio = openStudio();
  const lora = (path: string) => ({ path, scale: 1, mergeMode: "runtime_peft" }) as const;
  const { settings } = studio.store.get();
  const loras = [lora("ink.safetensors"), lora("nowhere.safetensors")];
  studio.store.update({ settings: { ...settings, load: { ...settings.load, values: { loras } } } });
  await until(studio, ({ notice }) => notice?.action === "without-loras");
  await studio.goOnWithoutLoras(studio.store.get().notice?.help ?? "");
  await until(studio, ({ pipeline, notice }) => pipeline?.status === "loaded" && notice === undefined);
  expect(loads[0]).toMatchObject({ load_params: { loras: [{ path: "ink.safetensors" }] } });
  expect(studio.store.get().phase).toBe("idle");
});

test("a server that does not answer is looked for until it does", async () => {
  const { port } = http.address() as AddressInfo;
  http.closeAllConnections();
  await new Promise((resolve) => http.close(resolve));
  const studio = openStudio();
  await until(studio, ({ isReachable }) => isReachable === false);
  expect(studio.store.get().notice?.command).toBe("npm start");
  await new Promise<void>((resolve) => http.listen(port, "127.0.0.1", resolve));
  await until(studio, ({ pipeline, notice }) => pipeline?.status === "loaded" && notice === undefined);
});

test("what a server that was started anew has lost under a stream is loaded again, in the size that ran", async () => {
  status = loaded({});
  const studio = openStudio();
  await until(studio, ({ pipeline }) => pipeline?.status === "loaded");
  studio.store.update({ phase: "live" });
  status = NOTHING;
  studio.watch.look();
  await until(studio, ({ pipeline }) => pipeline?.status === "not_loaded");
  await until(studio, ({ pipeline }) => pipeline?.status === "loaded");
  expect(loads).toEqual([
    { pipeline_id: "longlive", load_params: expect.objectContaining({ width: 384, height: 224 }) },
  ]);
});

test("a page without a camera says so instead of failing", async () => {
  status = loaded({});
  const studio = openStudio();
  await until(studio, ({ pipeline }) => pipeline?.status === "loaded");
  studio.start("camera");
  await until(studio, ({ notice }) => notice !== undefined);
  expect(studio.store.get()).toMatchObject({
    phase: "idle",
    source: undefined,
    notice: { action: "none", offersScene: true },
  });
});
