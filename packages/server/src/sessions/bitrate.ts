/**
 * How much a session may send: enough for sharp pictures of its size, and no
 * more than the operator allows. It is settled with an offer, so a reload with
 * another size keeps the bound until the client makes a new connection.
 */
import type { Size } from "../pipelines/pipeline.ts";

/** Also for the smallest pictures, and where the size follows the client's. */
const FLOOR_BPS = 1_500_000;
/** Sharp pictures of a model need about this much at 30 frames a second. */
const BPS_PER_PIXEL = 8;
/** No picture gets visibly better beyond it. */
const CEILING_BPS = 12_000_000;

/** Bits a second; `allowedBps` bounds it below everything else. */
export function maxBitrateBps(size: Size | undefined, allowedBps: number | undefined): number {
  const pixels = size === undefined ? 0 : size.width * size.height;
  const wanted = Math.min(CEILING_BPS, Math.max(FLOOR_BPS, pixels * BPS_PER_PIXEL));
  return Math.min(wanted, allowedBps ?? wanted);
}
