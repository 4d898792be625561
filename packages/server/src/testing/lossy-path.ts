/**
 * A bad network between a client and the server, in user space: datagrams pass
 * through sockets of this process, and some are lost. The client is told of
 * this path alone, and the server learns the client's address from what comes
 * over it.
 */
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import type { Random } from "./random.ts";
import type { Ask } from "./test-client.ts";

const CANDIDATE = /^a=candidate:(\S+) (\d+) udp (\d+) (\S+) (\d+) typ host.*$/i;

export class LossyPath {
  /** Share of the datagrams that get lost, each way; may be changed at any time. */
  loss: number;
  readonly #random: Random;
  readonly #sockets: Socket[] = [];

  constructor(random: Random, loss: number) {
    this.#random = random;
    this.loss = loss;
  }

  /** Requests whose offers and answers lead over this path. */
  wrap(ask: Ask): Ask {
    return async (path, init) => {
      // The client's own candidates would be a way around it.
      if (init?.method === "PATCH") return new Response(null, { status: 204 });
      if (!path.endsWith("/offer")) return ask(path, init);
      const offer = JSON.parse(String(init?.body)) as { sdp: string };
      const sdp = offer.sdp.replace(/^a=candidate:.*\r\n/gm, "");
      const response = await ask(path, { ...init, body: JSON.stringify({ ...offer, sdp }) });
      if (!response.ok) return response;
      const answer = (await response.json()) as { sdp: string };
      return Response.json({ ...answer, sdp: await this.#detour(answer.sdp) });
    };
  }

  close(): void {
    for (const socket of this.#sockets.splice(0)) socket.close();
  }

  /** The answer with the first of the server's UDP addresses replaced by this path, and without the others. */
  async #detour(sdp: string): Promise<string> {
    const lines = sdp.split("\r\n");
    const at = lines.findIndex((line) => CANDIDATE.test(line) && !line.includes("::"));
    const match = CANDIDATE.exec(lines[at] ?? "");
    if (match === null) throw new Error("the answer has no UDP address");
    const [, foundation, component, priority, address = "", port = ""] = match;
    const own = await this.#relay(address, Number(port));
    lines[at] = `a=candidate:${foundation} ${component} udp ${priority} 127.0.0.1 ${own} typ host`;
    return lines.filter((line, i) => i === at || !line.startsWith("a=candidate:")).join("\r\n");
  }

  /** @returns the port at which the client's datagrams are taken */
  async #relay(address: string, port: number): Promise<number> {
    const [near, far] = [createSocket("udp4"), createSocket("udp4")];
    this.#sockets.push(near, far);
    let client: { address: string; port: number } | undefined;
    near.on("message", (data, from) => {
      client = from;
      if (!this.#random.chance(this.loss)) far.send(data, port, address);
    });
    far.on("message", (data) => {
      if (client !== undefined && !this.#random.chance(this.loss)) near.send(data, client.port, client.address);
    });
    near.bind(0, "127.0.0.1");
    far.bind(0);
    await Promise.all([once(near, "listening"), once(far, "listening")]);
    return near.address().port;
  }
}
