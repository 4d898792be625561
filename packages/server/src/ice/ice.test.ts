/** The providers are HTTP servers of the test's own, which answer as the real ones are documented to. */
import { createHmac } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createLogger } from "../logger.ts";
import { IceDirectory } from "./ice-directory.ts";
import { PUBLIC_STUN, readIceSettings } from "./ice-settings.ts";
import { cloudflare, huggingFace, sharedSecret, type TurnProvider, twilio } from "./turn-providers.ts";

type Asked = { method: string; path: string; authorization: string; body: string };
let server: Server;
let base: string;
let asked: Asked[] = [];
let answer: { status: number; body: string };

beforeAll(async () => {
  server = createServer(async (request, response) => {
    const { method = "", url: path = "", headers } = request;
    asked.push({ method, path, authorization: headers.authorization ?? "", body: await readText(request) });
    response.writeHead(answer.status).end(answer.body);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => server.close());
beforeEach(() => {
  asked = [];
});

async function readText(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const part of request) text += String(part);
  return text;
}

const TURN = { urls: ["turn:turn.example:3478?transport=udp"], username: "u", credential: "c" };
const giveIceServers = (iceServers: unknown) => {
  answer = { status: 201, body: JSON.stringify({ iceServers }) };
};
const ask = (provider: TurnProvider) => provider.fetch(AbortSignal.timeout(2000));

describe("the providers", () => {
  it("[ICE3] Cloudflare's are asked with the key's own token, in both forms of the answer", async () => {
    for (const given of [TURN, [{ urls: ["stun:stun.example"] }, TURN]]) {
      giveIceServers(given);
      expect(await ask(cloudflare("key id", "secret", base))).toEqual({ servers: [given].flat(), ttlS: 3600 });
    }
    expect(asked[0]).toEqual({
      method: "POST",
      path: "/v1/turn/keys/key%20id/credentials/generate-ice-servers",
      authorization: "Bearer secret",
      body: '{"ttl":3600}',
    });
  });

  it("[ICE3] Hugging Face's are asked with the user's token", async () => {
    giveIceServers(TURN);
    expect(await ask(huggingFace("hf_token", base))).toEqual({ servers: [TURN], ttlS: 600 });
    expect(asked[0]).toMatchObject({ method: "GET", path: "/credentials?ttl=600", authorization: "Bearer hf_token" });
  });

  it("[ICE3] Twilio's are asked with the account, and say how long they are good", async () => {
    const ice_servers = [
      { url: "stun:a", urls: "stun:a" },
      { ...TURN, url: "turn:x" },
    ];
    answer = { status: 201, body: JSON.stringify({ ice_servers, ttl: "1800", username: "u", password: "p" }) };
    expect(await ask(twilio("AC1", "secret", base))).toEqual({ servers: [{ urls: "stun:a" }, TURN], ttlS: 1800 });
    expect(asked[0]).toMatchObject({ method: "POST", path: "/2010-04-01/Accounts/AC1/Tokens.json", body: "Ttl=3600" });
    expect(Buffer.from(asked[0]!.authorization.slice(6), "base64").toString()).toBe("AC1:secret");
  });

  it("[ICE3] a shared secret signs the time when the user name ends", async () => {
    const { servers, ttlS } = await ask(sharedSecret(["turn:turn.example"], "secret"));
    const { username = "", credential } = servers[0]!;
    expect(Number(username.split(":")[0]) - Date.now() / 1000).toBeCloseTo(ttlS, -1);
    expect(credential).toBe(createHmac("sha1", "secret").update(username).digest("base64"));
  });

  it("tell why they failed, without their secrets", async () => {
    const provider = cloudflare("key", "secret", base);
    answer = { status: 403, body: "secret" };
    await expect(ask(provider)).rejects.toThrow(/^it answered with status 403$/);
    answer = { status: 200, body: "<html>" };
    await expect(ask(provider)).rejects.toThrow("no JSON");
    answer = { status: 200, body: '{"iceServers":[{"url":"turn:x"}]}' };
    await expect(ask(provider)).rejects.toThrow("no ICE servers");
    await expect(ask(cloudflare("key", "secret", "http://127.0.0.1:1"))).rejects.toThrow("no answer");
  });
});

describe("the directory", () => {
  let nowMs: number;
  let lines: string[];
  const open = (servers = [PUBLIC_STUN]) => {
    nowMs = 0;
    lines = [];
    const log = createLogger("info", (line) => lines.push(line.slice(13).trim()));
    const providers = [cloudflare("key", "secret", base)];
    return new IceDirectory({ servers, providers }, log, () => nowMs);
  };
  const name = (n: number) => giveIceServers([{ ...TURN, username: `u${n}` }]);
  const users = async (directory: IceDirectory) =>
    (await directory.servers()).map(({ username }) => username ?? "stun");

  it("[ICE4] hands credentials out again and renews them well before they end", async () => {
    const directory = open();
    name(1);
    const both = await Promise.all([users(directory), users(directory)]);
    expect(both).toEqual([
      ["stun", "u1"],
      ["stun", "u1"],
    ]);
    name(2);
    nowMs = 2399_000;
    expect(await users(directory)).toEqual(["stun", "u1"]);
    expect(asked).toHaveLength(1);
    nowMs = 2401_000;
    expect(await users(directory)).toEqual(["stun", "u2"]);
    expect(asked).toHaveLength(2);
  });

  it("[ICE5] goes on with what is still good when a provider fails, then with STUN, and logs why once", async () => {
    const directory = open([]);
    name(1);
    await users(directory);
    answer = { status: 500, body: "" };
    nowMs = 3000_000;
    expect(await users(directory)).toEqual(["u1"]);
    expect(await users(directory)).toEqual(["u1"]);
    expect(asked).toHaveLength(2);
    nowMs = 3601_000;
    expect(await directory.servers()).toEqual([PUBLIC_STUN]);
    expect(asked).toHaveLength(3);
    nowMs = 3620_000;
    name(2);
    expect(await users(directory)).toEqual(["u2"]);
    expect(lines).toEqual([
      "WARN no TURN credentials: those from before are still good provider=Cloudflare reason=it answered with status 500",
      "INFO TURN credentials are there again provider=Cloudflare",
    ]);
  });
});

describe("the settings", () => {
  const read = (iceServers: string[], env: NodeJS.ProcessEnv = {}, isLocal = false) => {
    const { servers, providers } = readIceSettings({ iceServers, isLocal }, env);
    return { servers, providers: providers.map((one) => one.name) };
  };

  it("[ICE1][ICE2] are none for this machine alone, and a public STUN server for others", () => {
    expect(read([], { HF_TOKEN: "x" }, true)).toEqual({ servers: [], providers: [] });
    expect(read([])).toEqual({ servers: [PUBLIC_STUN], providers: [] });
  });

  it("[ICE3] take the first provider whose keys are there", () => {
    const env = { TWILIO_ACCOUNT_SID: "a", TWILIO_AUTH_TOKEN: "b" };
    const cloud = { CLOUDFLARE_TURN_KEY_ID: "a", CLOUDFLARE_TURN_KEY_API_TOKEN: "b" };
    expect(read([], { ...env, ...cloud, HF_TOKEN: "x" }).providers).toEqual(["Hugging Face"]);
    expect(read([], { ...env, ...cloud }).providers).toEqual(["Twilio"]);
    expect(read([], cloud)).toEqual({ servers: [PUBLIC_STUN], providers: ["Cloudflare"] });
  });

  it("[ICE2] are those that are named, as URL or as JSON, and no others", () => {
    const env = { HF_TOKEN: "x", EVERFRAME_ICE_SERVERS: '[{"urls":"stun:env.example"}]' };
    expect(read([], env)).toEqual({ servers: [{ urls: "stun:env.example" }], providers: [] });
    const named = [
      "stun:[::1]:3478",
      "turn:me:p%40ss@turn.example:5349?transport=tcp",
      '{"urls":"turn:t","secret":"s"}',
    ];
    expect(read(named, env, true)).toEqual({
      servers: [
        { urls: ["stun:[::1]:3478"] },
        { urls: ["turn:turn.example:5349?transport=tcp"], username: "me", credential: "p@ss" },
      ],
      providers: ["shared secret"],
    });
  });

  it("say what is wrong with them", () => {
    for (const bad of ["http://x", "stun:", "turn:host?transport=sctp", "{", '{"url":"stun:x"}', '{"urls":"x"}']) {
      expect(() => read([bad])).toThrow(/ICE server|STUN or TURN URL/);
    }
    for (const bad of [
      "turn:me:hush@host?transport=sctp",
      '[{"credential":"hush"}]',
      '[{"url":"x","secret":"hush"}]',
      '["hush"',
    ]) {
      expect(() => read([bad])).toThrow(expect.not.objectContaining({ message: expect.stringContaining("hush") }));
    }
    expect(() => readIceSettings({ isLocal: false, isRelayOnly: true }, {})).toThrow("needs a TURN server");
  });
});
