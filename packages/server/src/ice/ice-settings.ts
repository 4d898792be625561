/**
 * Which STUN and TURN servers the operator wants, read from options and the
 * environment. Nothing is asked of a provider here.
 */
import { type IceServer, iceServers } from "@everframe/protocol";
import { cloudflare, huggingFace, sharedSecret, type TurnProvider, twilio } from "./turn-providers.ts";

/** For clients that are not on this machine. */
export const PUBLIC_STUN: IceServer = { urls: ["stun:stun.l.google.com:19302"] };

export type IceSettings = {
  /** Named by the operator, or the public STUN server, or none. */
  readonly servers: readonly IceServer[];
  /** Gives servers with credentials that end, beside `servers`. */
  readonly providers: readonly TurnProvider[];
};

export type IceOptions = {
  /** Each a URL ("stun:host", "turn:user:password@host:port?transport=udp"), or JSON of one or more RTCIceServer. */
  readonly iceServers?: readonly string[];
  /** Whether the server connects through TURN alone, so that nobody learns its address. */
  readonly isRelayOnly?: boolean;
  /** Whether clients are on this machine alone, and need no servers unless some are named. */
  readonly isLocal: boolean;
};

/**
 * Named servers are all there are; without any, the first of the providers
 * that has its keys in the environment (Hugging Face, Twilio, Cloudflare, in
 * the original's order), else STUN. A server of its own machine alone asks for
 * none of them: HF_TOKEN is most often there for downloads.
 * Throws an error that says what is wrong.
 */
export function readIceSettings(options: IceOptions, env: NodeJS.ProcessEnv): IceSettings {
  const { isRelayOnly = false, isLocal } = options;
  const texts = options.iceServers ?? [];
  const named = texts.length > 0 ? texts : [env["EVERFRAME_ICE_SERVERS"] ?? ""].filter(Boolean);
  const entries = named.flatMap(readEntries);
  const servers = entries.filter((one) => !("secret" in one)) as IceServer[];
  const secrets = entries.filter((one): one is SecretEntry => "secret" in one);
  const own = secrets.map(({ urls, secret }) => sharedSecret([urls].flat(), secret));
  const found = named.length > 0 || isLocal ? [] : providersOf(env).slice(0, 1);
  const providers = [...own, ...found];
  const isTurn = (one: IceServer) => [one.urls].flat().some((url) => /^turns?:/.test(url));
  if (isRelayOnly && providers.length === 0 && !servers.some(isTurn)) {
    throw new Error(
      "Relay only needs a TURN server: name one with --ice-server, or set the keys of Cloudflare, Twilio or HF_TOKEN.",
    );
  }
  return { servers: named.length === 0 && !isLocal ? [PUBLIC_STUN] : servers, providers };
}

function providersOf(env: NodeJS.ProcessEnv): TurnProvider[] {
  const found: TurnProvider[] = [];
  const value = (name: string) => env[name] || undefined;
  const hfToken = value("HF_TOKEN");
  if (hfToken !== undefined) found.push(huggingFace(hfToken));
  const [sid, authToken] = [value("TWILIO_ACCOUNT_SID"), value("TWILIO_AUTH_TOKEN")];
  if (sid !== undefined && authToken !== undefined) found.push(twilio(sid, authToken));
  const [keyId, apiToken] = [value("CLOUDFLARE_TURN_KEY_ID"), value("CLOUDFLARE_TURN_KEY_API_TOKEN")];
  if (keyId !== undefined && apiToken !== undefined) found.push(cloudflare(keyId, apiToken));
  return found;
}

type SecretEntry = { urls: string | string[]; secret: string };

function readEntries(text: string): (IceServer | SecretEntry)[] {
  if (!/^\s*[[{]/.test(text)) return [readUrl(text)];
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    // Neither the text nor the parser's message, which quotes it: there may be a password in them.
    throw new Error('The ICE servers are no JSON. Give a list of URLs, or of objects such as {"urls": "turn:…"}.');
  }
  return [parsed].flat().map((entry) => {
    const secret = (entry as { secret?: unknown } | null)?.secret;
    const checked = iceServers.safeParse({ iceServers: [entry] });
    const server = checked.data?.iceServers[0];
    if (server === undefined)
      throw new Error(`${JSON.stringify(entry, withoutSecrets)} is no ICE server. Give {"urls": "turn:…"}.`);
    for (const url of [server.urls].flat()) checkUrl(url);
    return typeof secret === "string" ? { urls: server.urls, secret } : server;
  });
}

/** User and password may stand in the URL as in others, percent-encoded, although RFC 7065 has no place for them. */
function readUrl(text: string): IceServer {
  const match = /^(stuns?|turns?):(?:([^:@]+):([^@]+)@)?([^@]+)$/.exec(text.trim());
  if (match === null) checkUrl(text);
  const [, scheme, user, password, rest] = match ?? [];
  const url = `${scheme}:${rest}`;
  checkUrl(url);
  if (user === undefined || password === undefined) return { urls: [url] };
  return { urls: [url], username: decodeURIComponent(user), credential: decodeURIComponent(password) };
}

const withoutSecrets = (key: string, value: unknown) =>
  key === "credential" || key === "secret" ? "…" : typeof value === "string" ? withoutPassword(value) : value;

/** Messages reach terminals and logs. */
const withoutPassword = (url: string) => url.replace(/:[^:]*@/g, ":…@");

/** RFC 7064 and RFC 7065. */
function checkUrl(url: string): void {
  if (/^stuns?:(\[[0-9a-f:.]+\]|[^\s:/?#@[\]]+)(:\d{1,5})?$/i.test(url)) return;
  if (/^turns?:(\[[0-9a-f:.]+\]|[^\s:/?#@[\]]+)(:\d{1,5})?(\?transport=(udp|tcp))?$/i.test(url)) return;
  throw new Error(
    `"${withoutPassword(url)}" is no STUN or TURN URL. Give stun:host:port or turn:host:port?transport=udp.`,
  );
}
