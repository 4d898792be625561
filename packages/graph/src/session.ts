/**
 * Runs a built graph. A thin layer over ONNX Runtime that fixes the options
 * found fastest, checks the tensors of each run against the graph's inputs,
 * and hides which runtime build is underneath. `run` blocks the calling
 * thread while the native engine computes: use it in a worker.
 */
import { readFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import type { InferenceSession, Tensor as OrtTensor } from "onnxruntime-node";
import { DeviceTensor, DeviceTensors } from "./device-tensor.ts";
import { formatShape, isSymbol, resolveDim } from "./dims.ts";
import { ARRAY_TYPE, RUNTIME_TYPE, type RuntimeDType, type TensorData } from "./dtype.ts";
import { needsPreciseInt8 } from "./int8-probe.ts";
import type { Device, Model, Port } from "./model.ts";
import { loadRuntime, type Ort, type Runtime } from "./runtime.ts";

/** A tensor for a run: row-major elements and sizes. The array type must be the one of the port's dtype. */
export type TensorLike = { readonly data: TensorData; readonly dims: readonly number[] };

/** A result. `data` is an own array (or the preallocated one) and may be transferred to another thread. */
export type Tensor = { dtype: RuntimeDType; dims: number[]; data: TensorData };

/** Results of a run: those on the processor, and those that stayed on the device. */
export type Results = {
  readonly tensors: Record<string, Tensor>;
  /** The caller's: to be disposed of. They end with the session, too. */
  readonly kept: Record<string, DeviceTensor>;
};

export type SessionOptions = {
  /** Default: the device that the graph was written for. */
  device?: Device;
  /** CPU threads of the native engine. Default: the number of cores, at most 4. */
  threads?: number;
  /**
   * Whether the native CPU engine keeps the memory of intermediate values for the next run. Without it a run takes
   * about half the memory, which goes back to the system at once, but a fifth more time. Default true.
   */
  arena?: boolean;
  /** The engine writes the time of each operator to `<profile>_<date>.json` when the session closes. Default: nothing. */
  profile?: string;
  /** Outputs that stay on the device, as `runKeeping` returns them. Only with device "webgpu". Default: none. */
  keep?: readonly string[];
  /** Receives rare notices, one line each. Default: dropped. */
  log?: (line: string) => void;
};

/** A session that cannot be created or a run that cannot be done. The message names the graph and says what is wrong. */
export class SessionError extends Error {
  override readonly name = "SessionError";
}

export class Session {
  readonly model: Model;
  readonly device: Device;
  /** "native", or "wasm" where the native library is missing. */
  readonly engine: Runtime["kind"];
  readonly #ort: Ort;
  readonly #keep: ReadonlySet<string>;
  readonly #kept = new DeviceTensors();
  #session: InferenceSession | null;

  private constructor(
    model: Model,
    device: Device,
    runtime: Runtime,
    keep: readonly string[],
    session: InferenceSession,
  ) {
    this.model = model;
    this.device = device;
    this.engine = runtime.kind;
    this.#ort = runtime.ort;
    this.#keep = new Set(keep);
    this.#session = session;
  }

  /**
   * Load a model: weights are read from their files and cast, kernels chosen.
   * @throws SessionError when the device is absent, the graph was written for another device, or loading fails.
   */
  static async create(model: Model, options: SessionOptions = {}): Promise<Session> {
    const device = options.device ?? model.device;
    if (device === "webgpu" && model.device !== "webgpu") {
      throw new SessionError(`Graph "${model.name}" was written for the CPU; build it with device "webgpu".`);
    }
    const { keep = [] } = options;
    if (device === "cpu" && keep.length > 0) {
      throw new SessionError(`Graph "${model.name}": outputs are kept on a GPU only, not on the CPU.`);
    }
    const runtime = await loadRuntime(options.log ?? (() => {}));
    if (device === "webgpu" && !runtime.backends.includes("webgpu")) {
      throw new SessionError(
        `The WebGPU engine is not available here (present: ${runtime.backends.join(", ")}); use device "cpu".`,
      );
    }
    const threads = options.threads ?? Math.min(4, availableParallelism());
    try {
      const settings =
        runtime.kind === "wasm"
          ? await wasmOptions(model)
          : {
              ...nativeOptions(model, device, threads, model.usesInt8 && (await needsPreciseInt8(runtime))),
              enableCpuMemArena: options.arena ?? true,
              ...(options.profile ? { enableProfiling: true, profileFilePrefix: options.profile } : {}),
              ...(keep.length > 0 ? { preferredOutputLocation: locationsOf(model, keep) } : {}),
            };
      const session = await runtime.ort.InferenceSession.create(model.bytes, settings);
      return new Session(model, device, runtime, keep, session);
    } catch (cause) {
      const isDriver = device === "webgpu" && /adapter|vulkan/i.test(reasonOf(cause));
      const advice = isDriver ? '\nCheck the GPU driver (Vulkan on Linux), or use device "cpu".' : "";
      throw new SessionError(`Graph "${model.name}" cannot be loaded on ${device}: ${reasonOf(cause)}${advice}`, {
        cause,
      });
    }
  }

  /**
   * Compute all outputs. Blocks the thread with the native engine.
   * @param inputs One tensor for each input of the graph. Sizes named by the same symbol must agree.
   * @param outputs Tensors to write results into, by output name; other outputs get new arrays. Native CPU only:
   * other engines return new arrays.
   * @throws SessionError when a tensor is missing, unknown or of the wrong shape or type, or the run fails.
   */
  async run(
    inputs: Readonly<Record<string, TensorLike | DeviceTensor>>,
    outputs: Readonly<Record<string, TensorLike>> = {},
  ): Promise<Record<string, Tensor>> {
    const { tensors, kept } = await this.runKeeping(inputs, outputs);
    for (const tensor of Object.values(kept)) tensor.dispose();
    return tensors;
  }

  /** `run`, with the outputs that stay on the device. */
  async runKeeping(
    inputs: Readonly<Record<string, TensorLike | DeviceTensor>>,
    outputs: Readonly<Record<string, TensorLike>> = {},
  ): Promise<Results> {
    const session = this.#session;
    if (!session) throw new SessionError(`The session of graph "${this.model.name}" is closed.`);
    const symbols = new Map<string, number>();
    const feeds = this.#bind("input", this.model.inputs, inputs, symbols);
    for (const { name } of this.model.inputs) {
      if (!feeds[name]) throw new SessionError(`Graph "${this.model.name}": input "${name}" is missing.`);
    }
    const given = this.#bind("output", this.model.outputs, outputs, symbols);
    const preallocate = this.engine === "native" && this.device === "cpu";
    const fetches: Record<string, OrtTensor | null> = {};
    for (const { name } of this.model.outputs) fetches[name] = (preallocate && given[name]) || null;
    let results: InferenceSession.OnnxValueMapType;
    try {
      results = await session.run(feeds, fetches);
    } catch (cause) {
      throw new SessionError(`Graph "${this.model.name}" failed: ${reasonOf(cause)}`, { cause });
    }
    const tensors: Record<string, Tensor> = {};
    const kept: Record<string, DeviceTensor> = {};
    for (const { name, dtype } of this.model.outputs) {
      const result = results[name] as OrtTensor;
      if (this.#keep.has(name)) {
        kept[name] = this.#kept.add(dtype, result);
        continue;
      }
      // getData() on a tensor of the device would end the process; these are on the CPU, so `data` is there.
      const data = fetches[name] ? outputs[name]!.data : (result.data as TensorData);
      tensors[name] = { dtype, dims: [...result.dims], data };
    }
    return { tensors, kept };
  }

  /** Free the weights, the engine's memory and the tensors kept on the device. Safe to call twice. */
  async close(): Promise<void> {
    this.#kept.freeAll();
    const session = this.#session;
    this.#session = null;
    await session?.release();
  }

  #bind(
    side: "input" | "output",
    ports: readonly Port[],
    tensors: Readonly<Record<string, TensorLike | DeviceTensor>>,
    symbols: Map<string, number>,
  ): Record<string, OrtTensor> {
    const bound: Record<string, OrtTensor> = {};
    for (const [name, tensor] of Object.entries(tensors)) {
      const port = ports.find((candidate) => candidate.name === name);
      const where = `Graph "${this.model.name}": ${side} "${name}"`;
      if (!port) throw new SessionError(`${where} is unknown; there are ${ports.map((p) => p.name).join(", ")}.`);
      if (tensor instanceof DeviceTensor) {
        bound[name] = this.#onDevice(where, port, tensor);
      } else {
        checkData(where, port, tensor);
        bound[name] = new this.#ort.Tensor(RUNTIME_TYPE[port.dtype], tensor.data as Float32Array, tensor.dims);
      }
      checkDims(where, port, tensor.dims, symbols);
    }
    return bound;
  }

  #onDevice(where: string, port: Port, tensor: DeviceTensor): OrtTensor {
    if (tensor.disposed) throw new SessionError(`${where} was disposed of, or its session was closed.`);
    if (this.device === "cpu") throw new SessionError(`${where} is on a GPU, but the session runs on the CPU.`);
    if (tensor.dtype !== port.dtype) throw new SessionError(`${where} takes ${port.dtype}, not ${tensor.dtype}.`);
    return tensor.engineTensor;
  }
}

function checkData(where: string, port: Port, { data, dims }: TensorLike): void {
  if (!(data instanceof ARRAY_TYPE[port.dtype])) {
    throw new SessionError(
      `${where} takes ${port.dtype} in a ${ARRAY_TYPE[port.dtype].name}, not ${data.constructor.name}.`,
    );
  }
  const elements = dims.reduce((a, b) => a * b, 1);
  if (elements !== data.length) {
    throw new SessionError(`${where} has ${data.length} elements, but ${formatShape(dims)} takes ${elements}.`);
  }
}

function checkDims(where: string, port: Port, dims: readonly number[], symbols: Map<string, number>): void {
  const fits = port.shape.map((dim, i) => {
    const size = dims[i];
    if (size !== undefined && isSymbol(dim) && !symbols.has(dim)) symbols.set(dim, size);
    const wanted = resolveDim(dim, symbols);
    return wanted === undefined || wanted === size;
  });
  if (dims.length !== port.shape.length || fits.includes(false)) {
    const known = [...symbols].map(([symbol, size]) => `${symbol} = ${size}`).join(", ");
    const note = known ? ` with ${known}` : "";
    throw new SessionError(`${where} is ${formatShape(dims)}, but must be ${formatShape(port.shape)}${note}.`);
  }
}

function nativeOptions(
  model: Model,
  device: Device,
  threads: number,
  preciseInt8: boolean,
): InferenceSession.SessionOptions {
  return {
    executionProviders: [device],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: "sequential",
    graphOptimizationLevel: "all",
    logSeverityLevel: 3,
    extra: {
      session: {
        // Spinning threads take the cores from encoder, server and garbage collection while they wait.
        intra_op: { allow_spinning: "0" },
        // An operator that the GPU lacks is to be seen when the graph is loaded, not as a slow way over the CPU.
        ...(device === "webgpu" ? { disable_cpu_ep_fallback: "1" } : {}),
        ...(preciseInt8 ? { x64quantprecision: "1" } : {}),
        ...(model.weightsFolder === null ? {} : { model_external_initializers_file_folder_path: model.weightsFolder }),
      },
    },
  };
}

/** Where each output is left. @throws SessionError when `keep` names no output */
function locationsOf(model: Model, keep: readonly string[]): Record<string, "cpu" | "gpu-buffer"> {
  const names = model.outputs.map(({ name }) => name);
  const unknown = keep.filter((name) => !names.includes(name));
  if (unknown.length > 0) throw new SessionError(`there is no output ${unknown.join(", ")} to keep`);
  return Object.fromEntries(names.map((name) => [name, keep.includes(name) ? "gpu-buffer" : "cpu"]));
}

async function wasmOptions(model: Model): Promise<InferenceSession.SessionOptions> {
  const externalData = await Promise.all(
    model.weightFiles.map(async (path) => ({ path, data: await readFile(join(model.weightsFolder ?? "", path)) })),
  );
  return { executionProviders: ["wasm"], graphOptimizationLevel: "all", logSeverityLevel: 3, externalData };
}

/** Without the names and places in source code that the engine puts before its reason. */
function reasonOf(cause: unknown): string {
  const text = cause instanceof Error ? cause.message : String(cause);
  return text.replace(/^\/\S+\.(cc|cpp|h):\d+ .*? was false\. /, "").trim();
}
