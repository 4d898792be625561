// A network that can be cut: UDP between a page and the server goes through a socket of the test's own, which lets packets
// pass or loses them, both ways and without a word, as a dead access point does.
import { createSocket, type RemoteInfo, type Socket } from "node:dgram";

type Way = { socket: Socket; client: RemoteInfo | undefined };

export class Relay {
  readonly #ways: Way[] = [];
  isCut = false;

  /** The port that stands for a port of the server. */
  async portFor(serverPort: number, serverAddress: string): Promise<number> {
    const socket = createSocket("udp4");
    const way: Way = { socket, client: undefined };
    this.#ways.push(way);
    socket.on("message", (data, from) => {
      const isFromServer = from.port === serverPort;
      if (!isFromServer) way.client = from;
      if (this.isCut) return;
      if (!isFromServer) socket.send(data, serverPort, serverAddress);
      else if (way.client !== undefined) socket.send(data, way.client.port, way.client.address);
    });
    // A port that the other side has closed already.
    socket.on("error", () => {});
    await new Promise<void>((resolve) => socket.bind(0, resolve));
    return socket.address().port;
  }

  close(): void {
    for (const { socket } of this.#ways.splice(0)) socket.close();
  }

  /**
   * An answer's SDP whose only candidate is one of the relay's ports, over the first IPv4 address that the server named.
   */
  async rewrite(sdp: string): Promise<string> {
    const candidate = /^a=candidate:\S+ 1 udp \d+ (\d+\.\d+\.\d+\.\d+) (\d+) typ host.*$/im.exec(sdp);
    if (candidate === null) throw new Error(`The answer names no UDP candidate:\n${sdp}`);
    const [line, address = "", port = ""] = candidate;
    const other = line.replace(`${address} ${port}`, `${address} ${await this.portFor(Number(port), address)}`);
    const rest = sdp.split(/\r?\n/).filter((one) => !one.startsWith("a=candidate:"));
    const at = rest.findIndex((one) => one.startsWith("a=ice-ufrag:"));
    return [...rest.slice(0, at), other, ...rest.slice(at)].join("\r\n");
  }
}
