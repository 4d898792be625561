/**
 * How often one address may do something: a bucket of tries that fills again
 * evenly (token bucket). The number of addresses is bounded too: the one that
 * was quiet the longest is forgotten first, and it has the fullest bucket.
 */
import { isIPv6 } from "node:net";

const MAX_ADDRESSES = 10_000;

export type Rate = {
  /** Tries that a quiet address has at once. */
  readonly burst: number;
  /** Tries that come back in a minute. */
  readonly perMinute: number;
};

type Bucket = { tries: number; atMs: number };

export class RateLimiter {
  readonly #rate: Rate;
  readonly #now: () => number;
  /** In the order of their last use. */
  readonly #buckets = new Map<string, Bucket>();

  /** `now` in milliseconds of a clock that never goes back. */
  constructor(rate: Rate, now: () => number = () => performance.now()) {
    this.#rate = rate;
    this.#now = now;
  }

  /** Takes a try: undefined when there is one, else the seconds until there will be. */
  take(address: string): number | undefined {
    const { burst, perMinute } = this.#rate;
    const key = networkOf(address);
    const atMs = this.#now();
    const before = this.#buckets.get(key);
    const refilled = before === undefined ? burst : before.tries + ((atMs - before.atMs) / 60_000) * perMinute;
    const tries = Math.min(burst, refilled);
    const isAllowed = tries >= 1;
    this.#buckets.delete(key);
    this.#buckets.set(key, { tries: isAllowed ? tries - 1 : tries, atMs });
    const [oldest] = this.#buckets.keys();
    if (this.#buckets.size > MAX_ADDRESSES && oldest !== undefined) this.#buckets.delete(oldest);
    return isAllowed ? undefined : ((1 - tries) / perMinute) * 60;
  }

  /** Addresses that are remembered. */
  get size(): number {
    return this.#buckets.size;
  }
}

/** One IPv6 user has a whole /64 of addresses (RFC 6177), so that counts as one. */
function networkOf(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, "");
  if (!isIPv6(plain)) return plain;
  const [head = "", tail] = plain.split("%")[0]!.split("::");
  const groups = head === "" ? [] : head.split(":");
  const last = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = tail === undefined ? 0 : 8 - groups.length - last.length;
  return [...groups, ...Array<string>(zeros).fill("0"), ...last]
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(":");
}
