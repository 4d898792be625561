/**
 * What a file is by its first bytes. A name says nothing: what is stored as an
 * image must begin as one. Signatures are those of the formats' own
 * specifications: PNG (W3C) 5.2, JPEG (T.81) B.1.1.3, RIFF, BMP, ISO base media
 * (14496-12) 4.3, Matroska (RFC 9559) on EBML (RFC 8794).
 */
import type { AssetType } from "@everframe/protocol";

/** Bytes that suffice to tell. */
export const SIGNATURE_BYTES = 16;

/** Boxes that ISO base media and QuickTime files begin with. */
const FIRST_BOXES = ["ftyp", "moov", "mdat", "wide", "free", "skip", "pnot"];

/** The type of a file that begins with `head`; undefined for what is none of the known formats. */
export function typeByContent(head: Uint8Array): AssetType | undefined {
  const text = Buffer.from(head.buffer, head.byteOffset, head.byteLength).toString("latin1");
  if (text.startsWith("\x89PNG\r\n\x1a\n") || text.startsWith("\xff\xd8\xff") || text.startsWith("BM")) return "image";
  if (text.startsWith("RIFF")) {
    const form = text.slice(8, 12);
    return form === "WEBP" ? "image" : form === "AVI " ? "video" : undefined;
  }
  if (text.startsWith("\x1a\x45\xdf\xa3") || FIRST_BOXES.includes(text.slice(4, 8))) return "video";
  return undefined;
}
