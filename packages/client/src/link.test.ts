// How a connection ends, seen from a real server: one that is told before the channel closes can stop writing to it.
import wrtc from "@roamhq/wrtc";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createClient } from "./client.ts";
import type { Session } from "./session.ts";
import { LoopbackServer, type Peer } from "./testing/loopback-server.ts";

let server: LoopbackServer;
let session: Session;
let peer: Peer;
/** Lets the server answer the goodbye. */
let answer: () => void;

beforeEach(async () => {
  server = new LoopbackServer();
  server.goodbyeGate = new Promise((resolve) => {
    answer = resolve;
  });
});
afterEach(async () => {
  vi.unstubAllGlobals();
  answer();
  session.close();
  await server.close();
});

async function connect(): Promise<void> {
  const PeerConnection = wrtc.RTCPeerConnection as unknown as typeof RTCPeerConnection;
  const client = createClient({ url: await server.listen(), RTCPeerConnection: PeerConnection });
  session = await client.connect();
  await until(() => server.peers.get(session.id)?.channel !== undefined);
  peer = server.peers.get(session.id)!;
}

function until(condition: () => boolean): Promise<void> {
  return expect.poll(condition, { timeout: 20_000, interval: 20 }).toBe(true) as Promise<void>;
}

test("the server hears the goodbye while the channel is open, and the channel closes when it has answered", async () => {
  await connect();
  const { id } = session;
  session.close();
  session.close();
  await until(() => server.deleted.length > 0);
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(server.goodbyes).toEqual(["asked"]);
  expect(peer.channel?.readyState).toBe("open");
  answer();
  await until(() => server.goodbyes.length === 3);
  expect(server.goodbyes).toEqual(["asked", "answered", "channel closed"]);
  expect(server.deleted).toEqual([id]);
});

test("a closed session is over at once for its caller, whenever the server answers", async () => {
  await connect();
  const told: unknown[] = [];
  session.on("stopped", (notice) => told.push(notice));
  session.on("state", ({ name }) => told.push(name));
  const [track] = session.output.getVideoTracks();
  expect(track?.readyState).toBe("live");
  session.close();
  expect(session.state).toMatchObject({ name: "closed", reason: "closed_by_client" });
  expect(track?.readyState).toBe("ended");
  await expect(session.set({ noiseScale: 0.5 })).rejects.toMatchObject({ code: "closed" });
  await until(() => server.deleted.length > 0);
  peer.channel?.send(JSON.stringify({ type: "stream_stopped", reason: "deleted" }));
  answer();
  await until(() => server.goodbyes.includes("channel closed"));
  expect(told).toEqual(["closed"]);
  expect(peer.received).toEqual([]);
});

test("a server that never answers a goodbye keeps neither the connection nor the request open", async () => {
  await connect();
  session.close();
  await until(() => server.goodbyes.length === 3);
  expect(server.goodbyes[0]).toBe("asked");
  expect(server.goodbyes.slice(1).sort()).toEqual(["channel closed", "gave up"]);
});

test("a server that is not there any more does not keep the connection open", async () => {
  await connect();
  await server.closeHttp();
  session.close();
  await until(() => server.goodbyes.includes("channel closed"));
  expect(server.deleted).toEqual([]);
});

test("a page that goes away closes at once, and its goodbye outlives it", async () => {
  const page = new EventTarget();
  vi.stubGlobal("window", page);
  await connect();
  page.dispatchEvent(new Event("pagehide"));
  expect(session.state).toMatchObject({ name: "closed", reason: "page_hidden" });
  await until(() => server.goodbyes.length === 2);
  expect([...server.goodbyes].sort()).toEqual(["asked", "channel closed"]);
  answer();
  await until(() => server.goodbyes.length === 3);
  expect(server.goodbyes.at(-1)).toBe("answered");
});
