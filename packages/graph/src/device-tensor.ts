/**
 * A result that stayed in the memory of the GPU: what a session keeps between
 * runs never crosses to the processor. It can be an input of any session on
 * the device. There is no way to read its elements but `DeviceCopier`.
 */
import type { Tensor as OrtTensor } from "onnxruntime-node";
import type { RuntimeDType } from "./dtype.ts";

/** Frees the memory of tensors that nobody holds and nobody disposed of. */
const forgotten = new FinalizationRegistry<() => void>((free) => free());

export class DeviceTensor {
  readonly dtype: RuntimeDType;
  readonly dims: readonly number[];
  readonly #tensor: OrtTensor;
  readonly #free: () => void;

  /** For sessions, which make them. @param free must not hold this object */
  constructor(dtype: RuntimeDType, tensor: OrtTensor, free: () => void) {
    this.dtype = dtype;
    this.dims = [...tensor.dims];
    this.#tensor = tensor;
    this.#free = free;
    forgotten.register(this, free, this);
  }

  /** True once the memory was given back: by `dispose`, or because the session that made it was closed. */
  get disposed(): boolean {
    return this.#tensor.location === "none";
  }

  /** The engine's tensor, for sessions. */
  get engineTensor(): OrtTensor {
    return this.#tensor;
  }

  /** Gives the memory back now, not some time after the last use. Safe to call twice. */
  dispose(): void {
    forgotten.unregister(this);
    this.#free();
  }
}

/** The tensors of one session. The engine's memory goes with the session, so none of them may outlive it. */
export class DeviceTensors {
  readonly #alive = new Set<OrtTensor>();

  add(dtype: RuntimeDType, tensor: OrtTensor): DeviceTensor {
    this.#alive.add(tensor);
    return new DeviceTensor(dtype, tensor, () => this.#free(tensor));
  }

  freeAll(): void {
    for (const tensor of this.#alive) this.#free(tensor);
  }

  #free(tensor: OrtTensor): void {
    // A tensor that is freed twice ends the process.
    if (this.#alive.delete(tensor)) tensor.dispose();
  }
}
