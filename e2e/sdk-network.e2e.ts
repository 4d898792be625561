// What breaks between a page and the server, and how the SDK comes back from it: the network is cut, the whole server is
// started anew, the camera is unplugged. Pictures are counted as a person would see them.
import type { Page } from "playwright-core";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { InputEvent, SessionState } from "../packages/client/src/index.ts";
import { useProduct } from "./harness/product.ts";
import { Relay } from "./harness/relay.ts";
import { startServer } from "./harness/server.ts";

type Seen = { states: SessionState[]; inputs: InputEvent[]; frames: number; id: string };
type SdkWindow = {
  Sdk: typeof import("../packages/client/src/index.ts");
  cameraTrack: MediaStreamTrack | undefined;
  seen: Seen;
  rewrite: (sdp: string) => Promise<string>;
  isCut: () => Promise<boolean>;
};

const PATIENCE_MS = 60_000;
const product = useProduct();
let relay: Relay;
beforeEach(() => {
  relay = new Relay();
});
afterEach(() => relay.close());

/** A page that streams its fake camera over the relay and keeps what the SDK tells. */
async function stream(url: string): Promise<Page> {
  const page = await product.browser.newPage({ bypassCSP: true });
  await page.exposeFunction("rewrite", (sdp: string) => relay.rewrite(sdp));
  await page.exposeFunction("isCut", () => relay.isCut);
  await page.goto(`${url}/health`);
  await page.addScriptTag({ type: "module", content: 'import * as sdk from "/everframe.js"; window.Sdk = sdk;' });
  await page.waitForFunction(() => "Sdk" in window);
  await page.evaluate(async () => {
    const own = window as unknown as SdkWindow;
    // No candidate of the page reaches the server, so that the relay is the only way.
    const cuttable = async (path: string, init: RequestInit = {}): Promise<Response> => {
      if (await own.isCut()) throw new TypeError("the network is cut");
      if (init.method === "PATCH") return new Response(null, { status: 204 });
      if (init.method !== "POST" || !path.endsWith("/webrtc/offer")) return fetch(path, init);
      const offer = JSON.parse(String(init.body));
      offer.sdp = offer.sdp.replace(/^a=candidate:.*\r\n/gm, "");
      const response = await fetch(path, { ...init, body: JSON.stringify(offer) });
      if (!response.ok) return response;
      const answer = await response.json();
      return new Response(JSON.stringify({ ...answer, sdp: await own.rewrite(answer.sdp) }));
    };
    const client = own.Sdk.createClient({ fetch: cuttable });
    await client.load({ pipeline: "passthrough", width: 320, height: 176 });
    const input = await own.Sdk.camera({ width: 320, height: 180 });
    own.cameraTrack = input.stream.getVideoTracks()[0];
    const session = await client.connect({ stream: input });
    const seen: Seen = { states: [], inputs: [], frames: 0, id: session.id };
    own.seen = seen;
    session.on("state", (state) => {
      seen.states.push(JSON.parse(JSON.stringify(state)));
      if (state.name === "live" && !state.interrupted) seen.id = session.id;
    });
    session.on("input", ({ state, error }) => {
      seen.inputs.push(error === undefined ? { state } : { state, error: { ...error } });
    });
    session.on("frame", () => {
      seen.frames += 1;
    });
    const video = Object.assign(document.createElement("video"), { autoplay: true, muted: true });
    video.srcObject = session.output;
    document.body.append(video);
  });
  await moreFrames(page, 10);
  return page;
}

function seen(page: Page): Promise<Seen> {
  return page.evaluate(() => (window as unknown as SdkWindow).seen);
}

async function moreFrames(page: Page, count: number): Promise<void> {
  const goal = (await seen(page)).frames + count;
  await page.waitForFunction((n) => (window as unknown as SdkWindow).seen.frames >= n, goal, { timeout: PATIENCE_MS });
}

/** Waits until the SDK has told an interruption, and then that all is well. */
async function untilWell(page: Page): Promise<void> {
  await page.waitForFunction(
    () => {
      const last = (window as unknown as SdkWindow).seen.states.at(-1);
      return last?.name === "live" && !last.interrupted;
    },
    undefined,
    { timeout: PATIENCE_MS },
  );
}

for (const seconds of [3, 20]) {
  test(`after a network that is cut for ${seconds} s, the same session goes on`, async () => {
    const page = await stream(product.server.url);
    const { id } = await seen(page);
    relay.isCut = true;
    await page.waitForTimeout(seconds * 1000);
    const during = await seen(page);
    relay.isCut = false;
    const backMs = Date.now();
    if (during.states.length > 0) await untilWell(page);
    await moreFrames(page, 20);
    const after = await seen(page);
    console.log(
      `a cut of ${seconds} s: ${after.states.length} states told, video again ${Date.now() - backMs} ms after it`,
    );
    expect(after.id).toBe(id);
    if (seconds > 10) {
      expect(during.states.at(-1)).toMatchObject({ name: "live", interrupted: true, attempt: expect.any(Number) });
      expect(after.states.at(-1)).toEqual({ name: "live", interrupted: false });
    }
    await page.close();
  });
}

test("a server that is ended and started anew gets its pipeline and the stream back", async () => {
  const first = await startServer();
  const page = await stream(first.url);
  const { id } = await seen(page);
  await first.stop("SIGKILL");
  await page.waitForFunction(() => (window as unknown as SdkWindow).seen.states.length > 0, undefined, {
    timeout: PATIENCE_MS,
  });
  const second = await startServer({ port: Number(new URL(first.url).port) });
  await untilWell(page);
  await moreFrames(page, 20);
  expect((await seen(page)).id).not.toBe(id);
  await page.close();
  await second.stop();
});

test("a camera that is unplugged is told, and sent again when it is back", async () => {
  const page = await stream(product.server.url);
  // What a browser does when a camera's plug is pulled: the track ends, the list is shorter, the page is told.
  await page.evaluate(() => {
    const devices = navigator.mediaDevices;
    const list = devices.enumerateDevices.bind(devices);
    devices.enumerateDevices = async () => [];
    Object.assign(window, {
      plugIn() {
        devices.enumerateDevices = list;
        devices.dispatchEvent(new Event("devicechange"));
      },
    });
  });
  await page.evaluate(async () => {
    const { cameraTrack } = window as unknown as SdkWindow;
    cameraTrack?.stop();
    cameraTrack?.dispatchEvent(new Event("ended"));
  });
  await page.waitForFunction(() => (window as unknown as SdkWindow).seen.inputs.length > 0);
  expect((await seen(page)).inputs[0]).toMatchObject({
    state: "ended",
    error: { code: "device", reason: "unplugged" },
  });
  await page.evaluate(() => (window as unknown as { plugIn(): void }).plugIn());
  await page.waitForFunction(() => (window as unknown as SdkWindow).seen.inputs.at(-1)?.state === "live");
  await moreFrames(page, 20);
  expect((await seen(page)).states).toEqual([]);
  await page.close();
});

test("a camera that cannot be opened says why, by the browser's own word", async () => {
  const page = await product.browser.newPage({ bypassCSP: true });
  await page.goto(`${product.server.url}/health`);
  await page.addScriptTag({ type: "module", content: 'import * as sdk from "/everframe.js"; window.Sdk = sdk;' });
  await page.waitForFunction(() => "Sdk" in window);
  const told = await page.evaluate(async () => {
    const { Sdk } = window as unknown as SdkWindow;
    const missing = await Sdk.camera({ deviceId: "of another machine" }).catch((error) => [error.reason, error.help]);
    const others = [];
    for (const name of ["NotAllowedError", "NotReadableError"]) {
      navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("no", name));
      others.push(await Sdk.camera().catch((error) => error.reason));
    }
    return [missing, ...others];
  });
  expect(told).toEqual([["not_found", "Connect one, or use another source."], "permission_denied", "in_use"]);
  await page.close();
});
