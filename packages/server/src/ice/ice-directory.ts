/**
 * The STUN and TURN servers of the moment, for clients and for the server's
 * own connections. Credentials are asked for when someone needs them and kept
 * until a third of their time is left, so that what is handed out lasts. When
 * a provider fails, what it gave stays in use as long as it is good, and after
 * that STUN has to do.
 */
import { errorText, type IceServer } from "@everframe/protocol";
import type { Logger } from "pino";
import { type IceSettings, PUBLIC_STUN } from "./ice-settings.ts";
import type { TurnGrant, TurnProvider } from "./turn-providers.ts";

/** Share of its time for which a credential is handed out. */
const FRESH_SHARE = 2 / 3;
const ASK_TIMEOUT_MS = 3000;
/** How soon a provider that failed is asked again. */
const RETRY_MS = 15_000;

export class IceDirectory {
  readonly #servers: readonly IceServer[];
  readonly #credentials: readonly Credentials[];

  /** `now` in milliseconds of a clock that never goes back. */
  constructor({ servers, providers }: IceSettings, log: Logger, now: () => number = performance.now.bind(performance)) {
    this.#servers = servers;
    this.#credentials = providers.map((provider) => new Credentials(provider, log, now));
  }

  /** Never fails. Waits for a provider at most some seconds, and only when there is nothing good at hand. */
  async servers(): Promise<IceServer[]> {
    const granted = (await Promise.all(this.#credentials.map((one) => one.servers()))).flat();
    const servers = [...this.#servers, ...granted];
    const isMissing = this.#credentials.length > 0 && granted.length === 0;
    return isMissing && !servers.some(hasStun) ? [...servers, PUBLIC_STUN] : servers;
  }
}

/** What one provider gave, renewed in time. */
class Credentials {
  readonly #provider: TurnProvider;
  readonly #log: Logger;
  readonly #now: () => number;
  #grant: (TurnGrant & { readonly atMs: number }) | undefined;
  #asking: Promise<void> | undefined;
  #failedAtMs: number | undefined;

  constructor(provider: TurnProvider, log: Logger, now: () => number) {
    this.#provider = provider;
    this.#log = log;
    this.#now = now;
  }

  /** Servers with good credentials; none when there are not any. */
  async servers(): Promise<readonly IceServer[]> {
    const isFresh = this.#share() < FRESH_SHARE;
    const hasJustFailed = this.#failedAtMs !== undefined && this.#now() - this.#failedAtMs < RETRY_MS;
    if (!isFresh && !hasJustFailed) {
      this.#asking ??= this.#ask().finally(() => {
        this.#asking = undefined;
      });
      await this.#asking;
    }
    return this.#share() < 1 ? (this.#grant?.servers ?? []) : [];
  }

  /** How much of its time the grant has had; 1 and more when it is over. */
  #share(): number {
    if (this.#grant === undefined) return Number.POSITIVE_INFINITY;
    return (this.#now() - this.#grant.atMs) / (this.#grant.ttlS * 1000);
  }

  async #ask(): Promise<void> {
    const { name } = this.#provider;
    const atMs = this.#now();
    try {
      const grant = await this.#provider.fetch(AbortSignal.timeout(ASK_TIMEOUT_MS));
      this.#grant = { ...grant, atMs };
      if (this.#failedAtMs !== undefined) this.#log.info({ provider: name }, "TURN credentials are there again");
      this.#failedAtMs = undefined;
    } catch (error) {
      const remains = this.#share() < 1 ? "those from before are still good" : "only STUN is left";
      const isNews = this.#failedAtMs === undefined;
      this.#failedAtMs = this.#now();
      const level = isNews ? "warn" : "debug";
      this.#log[level]({ provider: name, reason: errorText(error) }, `no TURN credentials: ${remains}`);
    }
  }
}

function hasStun({ urls }: IceServer): boolean {
  return [urls].flat().some((url) => /^stuns?:/.test(url));
}
