// The server's half of a session for tests: signalling over real HTTP, and real WebRTC (libwebrtc in Node).
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import wrtc from "@roamhq/wrtc";

export type Peer = { connection: RTCPeerConnection; channel: RTCDataChannel | undefined; received: unknown[] };

/** Answers offers with a video track and remembers what it was told. */
export class LoopbackServer {
  readonly peers = new Map<string, Peer>();
  readonly offers: Record<string, unknown>[] = [];
  readonly deleted: string[] = [];
  /** How sessions ended, as the server sees it. */
  readonly goodbyes: ("asked" | "answered" | "gave up" | "channel closed")[] = [];
  /** Answers of the status request, one after the other; the last one stays. */
  statuses: Record<string, unknown>[] = [status("loaded")];
  /** Answers the offer with an error instead. */
  refuse: { status: number; body: string } | undefined;
  /** Holds back the answers to offers until it resolves. */
  gate: Promise<void> = Promise.resolve();
  /** The same for the answers to goodbyes. */
  goodbyeGate: Promise<void> = Promise.resolve();
  #http: Server = createServer((request, response) => {
    response.on("close", () => {
      if (request.method !== "DELETE") return;
      this.goodbyes.push(response.writableFinished ? "answered" : "gave up");
    });
    this.#answer(request).then(
      ([code, body]) => {
        response.writeHead(code, { "Content-Type": "application/json" });
        response.end(body);
      },
      (error: unknown) => {
        response.writeHead(500);
        response.end(String(error));
      },
    );
  });

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#http.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(this.#http.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    for (const { connection } of this.peers.values()) connection.close();
    await this.closeHttp();
  }

  /** Answers no request any more; the connections stay. */
  async closeHttp(): Promise<void> {
    this.#http.closeAllConnections();
    await new Promise((resolve) => this.#http.close(resolve));
  }

  async #answer(request: IncomingMessage): Promise<[number, string?]> {
    const path = request.url ?? "";
    let text = "";
    for await (const part of request) text += part;
    if (path.endsWith("/pipeline/status")) {
      const [first, ...rest] = this.statuses;
      if (rest.length > 0) this.statuses = rest;
      return [200, JSON.stringify(first)];
    }
    if (path.endsWith("/ice-servers")) return [200, JSON.stringify({ iceServers: [] })];
    const id = path.split("/").at(-1) ?? "";
    if (request.method === "DELETE") {
      this.deleted.push(id);
      this.goodbyes.push("asked");
      await this.goodbyeGate;
      return [204];
    }
    if (request.method === "PATCH") {
      for (const candidate of JSON.parse(text).candidates) {
        await this.peers.get(id)?.connection.addIceCandidate(candidate);
      }
      return [204];
    }
    if (this.refuse !== undefined) return [this.refuse.status, this.refuse.body];
    await this.gate;
    const offer = JSON.parse(text);
    this.offers.push(offer);
    const connection: RTCPeerConnection = new wrtc.RTCPeerConnection() as unknown as RTCPeerConnection;
    const track = new wrtc.nonstandard.RTCVideoSource().createTrack() as unknown as MediaStreamTrack;
    connection.addTrack(track, new wrtc.MediaStream() as unknown as MediaStream);
    const peer: Peer = { connection, channel: undefined, received: [] };
    connection.addEventListener("datachannel", ({ channel }) => {
      peer.channel = channel;
      channel.addEventListener("close", () => this.goodbyes.push("channel closed"));
      channel.addEventListener("message", ({ data }) => peer.received.push(JSON.parse(data)));
    });
    await connection.setRemoteDescription({ type: "offer", sdp: offer.sdp });
    await connection.setLocalDescription(await connection.createAnswer());
    if (connection.iceGatheringState !== "complete") {
      await new Promise<void>((resolve) => {
        connection.addEventListener("icegatheringstatechange", () => {
          if (connection.iceGatheringState === "complete") resolve();
        });
      });
    }
    const sessionId = `session-${this.offers.length}`;
    this.peers.set(sessionId, peer);
    return [200, JSON.stringify({ sdp: connection.localDescription?.sdp, type: "answer", sessionId })];
  }
}

/** An answer of the status request. */
export function status(name: string, error: string | null = null): Record<string, unknown> {
  return { status: name, pipeline_id: null, load_params: null, error, model: null, loading_stage: null };
}
