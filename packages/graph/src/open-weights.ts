/**
 * Opens a weight file of any format that is known, told by its first bytes
 * (file endings are not reliable: .pt, .pth, .bin and .ckpt all occur), and
 * brings its tensor names to those of the model: without the outer dict and
 * without a prefix that all names share.
 */
import { SafetensorsFile } from "./safetensors.ts";
import { TorchFile } from "./torch-file.ts";
import { type TensorFile, type WeightFile, WeightFileError, withFile } from "./weight-file.ts";

export type OpenWeightsOptions = {
  /**
   * Entry of the file's outer dict to take, e.g. "generator"; default: everything. Safetensors files have no dicts: there
   * the names that begin with the entry and a dot are taken, or all when there are none (a converted file usually
   * holds the entry's tensors only).
   */
  entry?: string;
  /** Take the whole file when a PyTorch file has no such entry. Default false: an error. */
  optionalEntry?: boolean;
  /** Removed once from the names when all of them begin with it, e.g. "model.". Default: names stay. */
  stripPrefix?: string;
};

const SNIFF_BYTES = 64;

/**
 * @throws WeightFileError (SafetensorsError, TorchFileError) when the file is missing, of another format, damaged or
 * refused.
 */
export function openWeights(path: string, options: OpenWeightsOptions = {}): WeightFile {
  const { entry, stripPrefix = "" } = options;
  const file = isSafetensors(path) ? pickPrefix(SafetensorsFile.open(path), entry) : TorchFile.open(path, options);
  const stripped = (name: string) => name.startsWith(stripPrefix) && name.length > stripPrefix.length;
  if (stripPrefix === "" || !file.names().every(stripped)) return file;
  return file.renamed((name) => name.slice(stripPrefix.length));
}

function pickPrefix(file: SafetensorsFile, entry: string | undefined): TensorFile {
  const prefix = `${entry}.`;
  if (entry === undefined || !file.names().some((name) => name.startsWith(prefix))) return file;
  return file.renamed((name) => (name.startsWith(prefix) ? name.slice(prefix.length) : undefined));
}

function isSafetensors(path: string): boolean {
  return withFile(path, WeightFileError, (file) => {
    const start = file.read(0, Math.min(file.size, SNIFF_BYTES));
    const text = new TextDecoder("latin1").decode(start);
    // A safetensors file begins with the length of a JSON object.
    if (text[8] === "{") return true;
    if (text.startsWith("PK\u0003\u0004") || start[0] === 0x80) return false;
    if (text.startsWith("version https://git-lfs")) {
      throw new WeightFileError(path, "is only a pointer to the weights; fetch them with `git lfs pull`.");
    }
    throw new WeightFileError(path, "is neither a safetensors file nor a PyTorch checkpoint.");
  });
}
