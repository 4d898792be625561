/** A finished graph: what `Graph.build` returns and `Session.create` takes. */
import type { Shape } from "./dims.ts";
import type { RuntimeDType } from "./dtype.ts";

/** Where a session computes. */
export type Device = "cpu" | "webgpu";

/** A named input or output. Symbols in the shape are fixed by the tensors of a run. */
export type Port = { readonly name: string; readonly dtype: RuntimeDType; readonly shape: Shape };

/** ONNX bytes with what is needed to load and call them. Plain data: it may be sent to another thread. */
export type Model = {
  readonly name: string;
  /** The device that the graph was written for (which operators it uses). */
  readonly device: Device;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  /** Folder that the locations of the weight files are relative to; null when all weights are inside `bytes`. */
  readonly weightsFolder: string | null;
  /** Weight files, relative to `weightsFolder`. */
  readonly weightFiles: readonly string[];
  /** True when a linear runs in 8 bits. */
  readonly usesInt8: boolean;
};
