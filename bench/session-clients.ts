// The clients of bench/sessions.ts, in a process of their own, so that what they take is not taken for the server's.
// Each sends numbered pictures and reads the numbers of those that come back.
import { createLogger } from "../packages/server/src/logger.ts";
import { type Ask, sleep, TestClient } from "../packages/server/src/testing/test-client.ts";
import { createWrtcBackend } from "../packages/server/src/webrtc/wrtc-peer.ts";
import { PictureClock } from "./picture-clock.ts";

export type ClientsReport =
  | { type: "watching" }
  | { type: "done"; frames: number; seconds: number; cpuSeconds: number; latenciesMs: number[][] };

const SIZE = { width: 576, height: 320 };
/** The bitrate rises in the first seconds. */
const SETTLE_MS = 10_000;

const [url = "", count = "1", seconds = "20"] = process.argv.slice(2);
process.on("disconnect", () => process.exit(1));
const tell = (report: ClientsReport) =>
  new Promise<void>((resolve) => {
    process.send?.(report, () => resolve());
  });

let isWatching = false;
let frames = 0;
const latenciesMs: number[][] = [];
const clients: TestClient[] = [];
for (let i = 0; i < Number(count); i++) {
  const clock = new PictureClock(SIZE.width);
  const own: number[] = [];
  latenciesMs.push(own);
  const client = await TestClient.connect({
    ask: url === "" ? echo() : (path, init) => fetch(`${url}${path}`, init),
    parameters: { input_mode: "video" },
    ...SIZE,
    draw: (data, index) => clock.draw(data, index),
    onFrame: ({ width, data }) => {
      if (!isWatching) return;
      frames += 1;
      const latencyMs = width === SIZE.width ? clock.read(data) : undefined;
      if (latencyMs !== undefined) own.push(latencyMs);
    },
  });
  clients.push(client);
}
for (const client of clients) await client.receive(1);
await sleep(SETTLE_MS);
await tell({ type: "watching" });
const [cpu, start] = [process.cpuUsage(), performance.now()];
isWatching = true;
await sleep(Number(seconds) * 1000);
isWatching = false;
const { user, system } = process.cpuUsage(cpu);
const watched = (performance.now() - start) / 1000;
await tell({ type: "done", frames, seconds: watched, cpuSeconds: (user + system) / 1e6, latenciesMs });
for (const client of clients) client.close();
await sleep(500);
process.exit(0);

/** In place of a server: sends each picture back as it comes. What it takes is WebRTC's own. */
function echo(): Ask {
  const backend = createWrtcBackend({ log: createLogger("error") });
  const none = () => {};
  const peer = backend.createPeer(
    { onFrame: (frame) => peer.sendFrame(frame), onMessage: none, onConnected: none, onFailed: none, onClosed: none },
    { iceServers: [], maxBitrateBps: 4_000_000 },
  );
  return async (path, init) => {
    const body = JSON.parse(String(init?.body));
    if (path.endsWith("/offer")) {
      return Response.json({ sdp: await peer.answer(body.sdp), type: "answer", sessionId: "echo" });
    }
    for (const candidate of body.candidates) await peer.addCandidate(candidate);
    return new Response(null, { status: 204 });
  };
}
