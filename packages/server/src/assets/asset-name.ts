/**
 * Which names an uploaded file may have: a relative path of plain segments
 * that cannot leave the assets folder on any system, with a known extension.
 */
import { extname } from "node:path";
import { ApiError, type AssetType } from "@everframe/protocol";

/** With their dots, in lower case. */
export const ALLOWED_EXTENSIONS: Record<AssetType, readonly string[]> = {
  image: [".png", ".jpg", ".jpeg", ".webp", ".bmp"],
  video: [".mp4", ".avi", ".mov", ".mkv", ".webm"],
};
const MAX_SEGMENT_BYTES = 255;
const MAX_SEGMENTS = 8;

/** The type of a file by its extension, in upper or lower case; undefined for any other. */
export function assetType(name: string): AssetType | undefined {
  const extension = extname(name).toLowerCase();
  return (Object.keys(ALLOWED_EXTENSIONS) as AssetType[]).find((type) => ALLOWED_EXTENSIONS[type].includes(extension));
}

/**
 * The segments of a name, last the file's.
 * Throws `asset_name_invalid`, or `asset_type_unsupported`.
 */
export function parseAssetName(name: string): string[] {
  const refuse = (reason: string): never => {
    throw new ApiError("asset_name_invalid", { reason });
  };
  if (name === "") refuse("it is empty");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
  if (/[\u0000-\u001f\u007f]/.test(name)) refuse("it has a control character");
  if (name.startsWith("/") || /^[a-z]:/i.test(name)) refuse("it is an absolute path");
  if (name.includes("\\")) refuse("it has a backslash");
  const segments = name.split("/");
  if (segments.length > MAX_SEGMENTS) refuse("it has too many folders");
  for (const segment of segments) {
    if (segment === "..") refuse('it has ".."');
    if (segment === "" || segment.startsWith(".")) refuse("a part of it is empty or starts with a dot");
    if (Buffer.byteLength(segment) > MAX_SEGMENT_BYTES) refuse("a part of it is longer than 255 bytes");
  }
  if (assetType(name) === undefined) {
    throw new ApiError("asset_type_unsupported", {
      allowed: [...ALLOWED_EXTENSIONS.image, ...ALLOWED_EXTENSIONS.video],
    });
  }
  return segments;
}
