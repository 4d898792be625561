/**
 * Where TURN credentials that end come from: Cloudflare's and Twilio's
 * documented APIs, the free Cloudflare service that FastRTC offers to users of
 * Hugging Face, and a TURN server of one's own that shares a secret
 * (draft-uberti-behave-turn-rest, coturn's use-auth-secret).
 */
import { createHmac } from "node:crypto";
import { errorText, type IceServer } from "@everframe/protocol";
import { z } from "zod";

/** Servers, and for how long their credentials are good. */
export type TurnGrant = { readonly servers: readonly IceServer[]; readonly ttlS: number };

export type TurnProvider = {
  /** For the log. */
  readonly name: string;
  /** Asks for credentials. Throws an error whose text has no secret in it. */
  readonly fetch: (signal: AbortSignal) => Promise<TurnGrant>;
};

/** What the Hugging Face service gives at most; the others are asked for an hour. */
const HUGGING_FACE_TTL_S = 600;
const TTL_S = 3600;

const server = z.object({
  urls: z.union([z.string(), z.array(z.string())]),
  username: z.string().nullish(),
  credential: z.string().nullish(),
});
/** Cloudflare's older answer has one entry in place of a list. */
const cloudflareAnswer = z.object({ iceServers: z.union([z.array(server), server.transform((one) => [one])]) });
const twilioAnswer = z.object({ ice_servers: z.array(server), ttl: z.coerce.number().positive() });

/** By a token of Hugging Face. `base` is the service's address, for tests. */
export function huggingFace(token: string, base = "https://turn.fastrtc.org"): TurnProvider {
  return {
    name: "Hugging Face",
    fetch: async (signal) => {
      const url = `${base}/credentials?ttl=${HUGGING_FACE_TTL_S}`;
      const answer = await ask(url, { headers: { Authorization: `Bearer ${token}` }, signal });
      return { servers: read(cloudflareAnswer, answer).iceServers.map(toServer), ttlS: HUGGING_FACE_TTL_S };
    },
  };
}

/** By a TURN key of one's own at Cloudflare. */
export function cloudflare(keyId: string, apiToken: string, base = "https://rtc.live.cloudflare.com"): TurnProvider {
  return {
    name: "Cloudflare",
    fetch: async (signal) => {
      const url = `${base}/v1/turn/keys/${encodeURIComponent(keyId)}/credentials/generate-ice-servers`;
      const headers = { Authorization: `Bearer ${apiToken}`, "Content-Type": "application/json" };
      const answer = await ask(url, { method: "POST", headers, body: JSON.stringify({ ttl: TTL_S }), signal });
      return { servers: read(cloudflareAnswer, answer).iceServers.map(toServer), ttlS: TTL_S };
    },
  };
}

/** By an account of Twilio. */
export function twilio(accountSid: string, authToken: string, base = "https://api.twilio.com"): TurnProvider {
  return {
    name: "Twilio",
    fetch: async (signal) => {
      const url = `${base}/2010-04-01/Accounts/${encodeURIComponent(accountSid)}/Tokens.json`;
      const basic = Buffer.from(`${accountSid}:${authToken}`).toString("base64");
      const headers = { Authorization: `Basic ${basic}` };
      const body = new URLSearchParams({ Ttl: String(TTL_S) });
      const { ice_servers, ttl } = read(twilioAnswer, await ask(url, { method: "POST", headers, body, signal }));
      return { servers: ice_servers.map(toServer), ttlS: ttl };
    },
  };
}

/** For a TURN server that knows the same secret: the user name is the time when it ends. */
export function sharedSecret(urls: readonly string[], secret: string): TurnProvider {
  return {
    name: "shared secret",
    fetch: async () => {
      const username = `${Math.floor(Date.now() / 1000) + TTL_S}:everframe`;
      const credential = createHmac("sha1", secret).update(username).digest("base64");
      return { servers: [{ urls: [...urls], username, credential }], ttlS: TTL_S };
    },
  };
}

async function ask(url: string, init: RequestInit): Promise<unknown> {
  let response: Response;
  try {
    response = await fetch(url, init);
  } catch (error) {
    const { cause } = error as { cause?: unknown };
    throw new Error(`no answer (${errorText(cause ?? error)})`, { cause: error });
  }
  if (!response.ok) {
    await response.body?.cancel();
    throw new Error(`it answered with status ${response.status}`);
  }
  return response.json().catch((cause: unknown) => {
    throw new Error("its answer is no JSON", { cause });
  });
}

function read<T>(schema: z.ZodType<T>, answer: unknown): T {
  const result = schema.safeParse(answer);
  if (!result.success) throw new Error("its answer has no ICE servers");
  return result.data;
}

/** Without the fields that are null: some WebRTC libraries want them absent. */
function toServer({ urls, username, credential }: z.infer<typeof server>): IceServer {
  return { urls, ...(username == null ? {} : { username }), ...(credential == null ? {} : { credential }) };
}
