// The conductor against a real HTTP server that plays the pipeline's part. What needs a camera is tested in a browser.
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createClient } from "@everframe/client";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Studio } from "./studio.ts";

type Status = { status: string; pipeline_id: string | null; load_params: object | null; error: string | null };

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

/** Waits until a snapshot fulfils the condition. */
function until(studio: Studio, condition: (snapshot: ReturnType<Studio["snapshot"]>) => boolean): Promise<void> {
  return new Promise((resolve) => {
    const look = () => {
      if (!condition(studio.snapshot())) return;
      unsubscribe();
      resolve();
    };
    const unsubscribe = studio.subscribe(look);
    look();
  });
}

test("the first visit loads the pipeline by itself, once, ready for both modes", async () => {
  const studio = openStudio();
  await until(studio, ({ pipeline }) => pipeline?.status === "loaded");
  expect(loads).toEqual([{ pipeline_id: "longlive", load_params: { vace_enabled: true, seed: 42 } }]);
});

test("what someone else has loaded is taken over, not loaded again", async () => {
  status = loaded({ width: 576, height: 320, vace_enabled: false });
  const studio = openStudio();
  studio.change({ prompt: "sepia" });
  await until(studio, ({ settings }) => settings.size === "576x320");
  expect(loads).toEqual([]);
  expect(studio.snapshot().settings).toMatchObject({ mode: "normal", passthrough: false });
});

test("another size and a mode that was not loaded load again; a slider does not", async () => {
  status = loaded({ vace_enabled: false });
  const studio = openStudio();
  await until(studio, ({ pipeline }) => pipeline?.status === "loaded");
  studio.change({ noiseScale: 0.2 });
  studio.change({ mode: "vace" });
  await until(studio, ({ pipeline }) => pipeline?.vaceEnabled === true);
  studio.change({ size: "576x320" });
  await until(studio, ({ pipeline }) => pipeline?.size?.width === 576);
  expect(loads.map(({ load_params }) => load_params)).toEqual([
    { vace_enabled: true, seed: 42 },
    { vace_enabled: true, seed: 42, width: 576, height: 320 },
  ]);
});

test("a load that failed is told with the server's reason and can be tried again", async () => {
  status = { ...NOTHING, status: "error", error: "Failed to load pipeline longlive: no weights" };
  const studio = openStudio();
  await until(studio, ({ notice }) => notice !== undefined);
  expect(studio.snapshot().notice).toMatchObject({ action: "load", help: status.error });
  await studio.load();
  expect(studio.snapshot()).toMatchObject({ notice: undefined, pipeline: { status: "loaded" } });
});

test("a server that does not answer is looked for until it does", async () => {
  const { port } = http.address() as AddressInfo;
  http.closeAllConnections();
  await new Promise((resolve) => http.close(resolve));
  const studio = openStudio();
  await until(studio, ({ reachable }) => reachable === false);
  expect(studio.snapshot().notice?.command).toBe("npm start");
  await new Promise<void>((resolve) => http.listen(port, "127.0.0.1", resolve));
  await until(studio, ({ pipeline, notice }) => pipeline?.status === "loaded" && notice === undefined);
});

test("a page without a camera says so instead of failing", async () => {
  status = loaded({});
  const studio = openStudio();
  await until(studio, ({ pipeline }) => pipeline?.status === "loaded");
  await studio.start("camera");
  expect(studio.snapshot()).toMatchObject({ phase: "idle", source: undefined, notice: { action: "none" } });
});
