/**
 * Media through a real TURN server, coturn, which gives credentials by a
 * shared secret. Where it is not installed the test is left out, and says so.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Answer } from "@everframe/protocol";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { Rig } from "../testing/rig.ts";
import { TestClient, until } from "../testing/test-client.ts";

const hasCoturn = spawnSync("sh", ["-c", "command -v turnserver"]).status === 0;
if (!hasCoturn) console.warn("\nLEFT OUT: TURN is not tested, because coturn is not installed.\n");

const SECRET = "shared between the two";
let folder: string;
let turn: ChildProcess;
let port: number;
let rig: Rig | undefined;

afterEach(async () => {
  await rig?.close();
  rig = undefined;
});

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const address = probe.address();
  probe.close();
  if (address === null || typeof address === "string") throw new Error("no port was given");
  return address.port;
}

function canConnect(to: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(to, "127.0.0.1", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
}

/** A client, and the answer that it got. */
async function connectTo({ ask }: Rig): Promise<{ client: TestClient; sdp: string }> {
  let sdp = "";
  const client = await TestClient.connect({
    ask: async (path, init) => {
      const response = await ask(path, init);
      if (path.endsWith("/offer")) ({ sdp } = (await response.clone().json()) as Answer);
      return response;
    },
  });
  return { client, sdp };
}

describe.skipIf(!hasCoturn)("through coturn", () => {
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "coturn-"));
    port = await freePort();
    turn = spawn(
      "turnserver",
      [
        ...["-n", "--listening-ip", "127.0.0.1", "--relay-ip", "127.0.0.1", "--listening-port", String(port)],
        ...["--use-auth-secret", "--static-auth-secret", SECRET, "--realm", "everframe.test"],
        ...["--no-tls", "--no-dtls", "--no-cli", "--allow-loopback-peers"],
        ...["--log-file", "stdout", "--simple-log", "--pidfile", join(folder, "pid"), "--userdb", join(folder, "db")],
      ],
      { stdio: "ignore" },
    );
    await until(() => canConnect(port), "coturn to listen");
  }, 30_000);
  afterAll(async () => {
    const exit = once(turn, "exit");
    turn.kill("SIGKILL");
    await exit;
    await rm(folder, { recursive: true, force: true });
  });

  for (const transport of ["udp", "tcp"]) {
    it(`[ICE3][ICE6] sends video over ${transport} and tells the client of no other way`, async () => {
      const urls = `turn:127.0.0.1:${port}?transport=${transport}`;
      rig = await Rig.start({ iceServers: [JSON.stringify({ urls, secret: SECRET })], isRelayOnly: true });
      await rig.load("passthrough");
      const { client, sdp } = await connectTo(rig);
      await client.receive(30);
      client.close();
      const types = [...sdp.matchAll(/^a=candidate:.* typ (\w+)/gm)].map(([, type]) => type);
      expect(types.length).toBeGreaterThan(0);
      expect(new Set(types)).toEqual(new Set(["relay"]));
      const servers = await (await rig.ask("/api/v1/webrtc/ice-servers")).json();
      expect(servers).toMatchObject({ iceServers: [{ urls: [urls], username: expect.stringMatching(/^\d+:/) }] });
    });
  }
});

it("keeps media to the ports that the operator gives", async () => {
  rig = await Rig.start({ udpPorts: { min: 40_000, max: 40_020 } });
  await rig.load("passthrough");
  const { client, sdp } = await connectTo(rig);
  await client.receive(5);
  client.close();
  const ports = [...sdp.matchAll(/^a=candidate:\S+ \d udp \d+ \S+ (\d+) typ host/gim)].map(([, port]) => Number(port));
  expect(ports.length).toBeGreaterThan(0);
  for (const one of ports) expect(one >= 40_000 && one <= 40_020, `port ${one}`).toBe(true);
});
