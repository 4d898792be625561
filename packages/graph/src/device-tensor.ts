/**
 * A result that stayed in the memory of the GPU: what a session keeps between
 * runs never crosses to the processor. It can be an input of any session on
 * the device. There is no way to read its elements but `DeviceCopier`.
 */
import type { Tensor as OrtTensor } from "onnxruntime-node";
import type { RuntimeDType } from "./dtype.ts";

/** Frees the memory of tensors that nobody holds and nobody disposed of. */
const forgotten = new FinalizationRegistry<OrtTensor>((tensor) => tensor.dispose());

export class DeviceTensor {
  readonly dtype: RuntimeDType;
  readonly dims: readonly number[];
  #tensor: OrtTensor | null;

  /** For sessions, which make them. */
  constructor(dtype: RuntimeDType, tensor: OrtTensor) {
    this.dtype = dtype;
    this.dims = [...tensor.dims];
    this.#tensor = tensor;
    forgotten.register(this, tensor, this);
  }

  /** True once the memory was given back. */
  get disposed(): boolean {
    return this.#tensor === null;
  }

  /** The engine's tensor, for sessions. */
  get engineTensor(): OrtTensor | null {
    return this.#tensor;
  }

  /** Gives the memory back now, not some time after the last use. Safe to call twice. */
  dispose(): void {
    if (!this.#tensor) return;
    forgotten.unregister(this);
    this.#tensor.dispose();
    this.#tensor = null;
  }
}
