import { describe, expect, it } from "vitest";
import { HELP, readOptions } from "./cli-options.ts";

const TOKEN = "0123456789abcdef0123456789abcdef";
const read = (args: string[], env: NodeJS.ProcessEnv = {}) => readOptions(args, env).server;

describe("readOptions", () => {
  it("[SEC8] takes a token from the environment or the arguments, and none that can be guessed", () => {
    expect(read([], { EVERFRAME_TOKEN: TOKEN })).toEqual({ token: TOKEN });
    expect(read(["--token", `${TOKEN}1`], { EVERFRAME_TOKEN: TOKEN })).toEqual({ token: `${TOKEN}1` });
    expect(() => read(["--token", "secret"])).toThrow("openssl rand -hex 32");
  });

  it("takes origins, names and a proxy", () => {
    const args = ["--allow-origin", "https://app.example", "--allow-origin", "http://localhost:3000", "--trust-proxy"];
    expect(read([...args, "--allow-host", "Video.example"])).toEqual({
      allowOrigins: ["https://app.example", "http://localhost:3000"],
      allowHosts: ["video.example"],
      trustProxy: true,
    });
    expect(read(["--allow-origin", "*"])).toEqual({ allowOrigins: ["*"] });
    for (const bad of ["app.example", "https://app.example/", "null", "https://app.example/path"]) {
      expect(() => read(["--allow-origin", bad])).toThrow("is no origin");
    }
  });

  it("takes ICE servers, relay only, and a range of ports", () => {
    const server = "turn:me:secret@turn.example:3478";
    expect(read(["--ice-server", server, "--relay-only", "--udp-ports", "50000-50100"])).toEqual({
      iceServers: [server],
      isRelayOnly: true,
      udpPorts: { min: 50000, max: 50100 },
    });
    expect(() => read(["--ice-server", "http://turn.example"])).toThrow("is no STUN or TURN URL");
    expect(() => read([], { EVERFRAME_ICE_SERVERS: "[" })).toThrow("no JSON");
    expect(() => read(["--relay-only"])).toThrow("needs a TURN server");
    for (const bad of ["50000", "50100-50000", "80-90", "50000-70000", "a-b"]) {
      expect(() => read(["--udp-ports", bad])).toThrow("range of ports");
    }
  });

  it("takes how much the server may take on", () => {
    const args = ["--max-sessions", "3", "--min-fps", "0.5", "--max-bitrate", "800"];
    expect(read(args)).toEqual({ maxSessions: 3, minFps: 0.5, maxBitrateBps: 800_000 });
    for (const bad of ["0", "-1", "2.5", "many", ""])
      expect(() => read([`--max-sessions=${bad}`])).toThrow("--max-sessions");
  });

  it("explains every option in the help", () => {
    expect(HELP.split("\n").every((line) => line.length <= 120)).toBe(true);
    for (const option of [
      "token",
      "allow-origin",
      "allow-host",
      "trust-proxy",
      "ice-server",
      "relay-only",
      "udp-ports",
    ]) {
      expect(HELP).toContain(`--${option}`);
    }
  });
});
