/**
 * Raw pictures with the times when they were shown, as a stream that an
 * encoder can read: Matroska (RFC 9559) with uncompressed I420. It begins
 * before its length is known, and every picture is a cluster of its own.
 */
import type { I420Frame } from "../webrtc/media-peer.ts";

/** Nanoseconds of one unit of time. */
const TIMESTAMP_SCALE_NS = 10_000;
const UNKNOWN_SIZE = Buffer.from([0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);

/** The units of time of a moment in milliseconds. */
export function toTimestamp(ms: number): number {
  return Math.round((ms * 1e6) / TIMESTAMP_SCALE_NS);
}

/** What comes before the first picture; all have this size. */
export function header(width: number, height: number): Buffer {
  const ebml = element(0x1a45dfa3, [
    element(0x4282, Buffer.from("matroska")), // DocType
    element(0x4287, uint(4)), // DocTypeVersion
    element(0x4285, uint(2)), // DocTypeReadVersion
  ]);
  const info = element(0x1549a966, [
    element(0x2ad7b1, uint(TIMESTAMP_SCALE_NS)),
    element(0x4d80, Buffer.from("everframe")), // MuxingApp
    element(0x5741, Buffer.from("everframe")), // WritingApp
  ]);
  const video = element(0xe0, [
    element(0xb0, uint(width)),
    element(0xba, uint(height)),
    element(0x2eb524, Buffer.from("I420")), // UncompressedFourCC
  ]);
  const track = element(0xae, [
    element(0xd7, uint(1)), // TrackNumber
    element(0x73c5, uint(1)), // TrackUID
    element(0x83, uint(1)), // TrackType: video
    element(0x86, Buffer.from("V_UNCOMPRESSED")),
    video,
  ]);
  const segment = Buffer.concat([id(0x18538067), UNKNOWN_SIZE]);
  return Buffer.concat([ebml, segment, info, element(0x1654ae6b, track)]);
}

/** What comes before the bytes of a picture that is shown at `timestamp`. */
export function pictureHeader(frame: I420Frame, timestamp: number): Buffer {
  const time = element(0xe7, uint(timestamp));
  // Track 1, no time of its own within the cluster, a key frame.
  const block = Buffer.from([0x81, 0, 0, 0x80]);
  const blockBytes = block.length + frame.data.byteLength;
  const blockStart = Buffer.concat([id(0xa3), size(blockBytes), block]);
  const clusterBytes = time.length + blockStart.length + frame.data.byteLength;
  return Buffer.concat([id(0x1f43b675), size(clusterBytes), time, blockStart]);
}

function element(elementId: number, content: Buffer | readonly Buffer[]): Buffer {
  const body = Buffer.isBuffer(content) ? content : Buffer.concat(content);
  return Buffer.concat([id(elementId), size(body.length), body]);
}

/** Ids carry their own length in their first bits. */
function id(value: number): Buffer {
  return uint(value);
}

/** A length in the eight-byte form of RFC 8794 section 4. */
function size(bytes: number): Buffer {
  const buffer = Buffer.alloc(8);
  buffer.writeBigUInt64BE((1n << 56n) | BigInt(bytes));
  return buffer;
}

/** Big-endian, without leading zeros. */
function uint(value: number): Buffer {
  const buffer = Buffer.alloc(8);
  buffer.writeBigUInt64BE(BigInt(value));
  const start = buffer.findIndex((byte) => byte !== 0);
  return buffer.subarray(start === -1 ? 7 : start);
}
