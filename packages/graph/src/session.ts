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
import { formatShape, isSymbol, resolveDim } from "./dims.ts";
import { ARRAY_TYPE, RUNTIME_TYPE, type RuntimeDType, type TensorData } from "./dtype.ts";
import { needsPreciseInt8 } from "./int8-probe.ts";
import type { Device, Model, Port } from "./model.ts";
import { loadRuntime, type Ort, type Runtime } from "./runtime.ts";

/** A tensor for a run: row-major elements and sizes. The array type must be the one of the port's dtype. */
export type TensorLike = { readonly data: TensorData; readonly dims: readonly number[] };

/** A result. `data` is an own array (or the preallocated one) and may be transferred to another thread. */
export type Tensor = { dtype: RuntimeDType; dims: number[]; data: TensorData };

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
  #session: InferenceSession | null;

  private constructor(model: Model, device: Device, runtime: Runtime, session: InferenceSession) {
    this.model = model;
    this.device = device;
    this.engine = runtime.kind;
    this.#ort = runtime.ort;
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
            };
      const session = await runtime.ort.InferenceSession.create(model.bytes, settings);
      return new Session(model, device, runtime, session);
    } catch (cause) {
      const advice = device === "webgpu" ? ' Check the GPU driver (Vulkan on Linux), or use device "cpu".' : "";
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
    inputs: Readonly<Record<string, TensorLike>>,
    outputs: Readonly<Record<string, TensorLike>> = {},
  ): Promise<Record<string, Tensor>> {
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
    for (const { name, dtype } of this.model.outputs) {
      const result = results[name] as OrtTensor;
      // Only CPU results are asked for, so `data` is there; getData() on a device tensor would end the process.
      const data = fetches[name] ? outputs[name]!.data : (result.data as TensorData);
      tensors[name] = { dtype, dims: [...result.dims], data };
    }
    return tensors;
  }

  /** Free the weights and the engine's memory. Safe to call twice. */
  async close(): Promise<void> {
    const session = this.#session;
    this.#session = null;
    await session?.release();
  }

  #bind(
    side: "input" | "output",
    ports: readonly Port[],
    tensors: Readonly<Record<string, TensorLike>>,
    symbols: Map<string, number>,
  ): Record<string, OrtTensor> {
    const bound: Record<string, OrtTensor> = {};
    for (const [name, tensor] of Object.entries(tensors)) {
      const port = ports.find((candidate) => candidate.name === name);
      const where = `Graph "${this.model.name}": ${side} "${name}"`;
      if (!port) throw new SessionError(`${where} is unknown; there are ${ports.map((p) => p.name).join(", ")}.`);
      checkTensor(where, port, tensor, symbols);
      bound[name] = new this.#ort.Tensor(RUNTIME_TYPE[port.dtype], tensor.data as Float32Array, tensor.dims);
    }
    return bound;
  }
}

function checkTensor(where: string, port: Port, tensor: TensorLike, symbols: Map<string, number>): void {
  const { data, dims } = tensor;
  if (!(data instanceof ARRAY_TYPE[port.dtype])) {
    throw new SessionError(
      `${where} takes ${port.dtype} in a ${ARRAY_TYPE[port.dtype].name}, not ${data.constructor.name}.`,
    );
  }
  const elements = dims.reduce((a, b) => a * b, 1);
  if (elements !== data.length) {
    throw new SessionError(`${where} has ${data.length} elements, but ${formatShape(dims)} takes ${elements}.`);
  }
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
        ...(preciseInt8 ? { x64quantprecision: "1" } : {}),
        ...(model.weightsFolder === null ? {} : { model_external_initializers_file_folder_path: model.weightsFolder }),
      },
    },
  };
}

async function wasmOptions(model: Model): Promise<InferenceSession.SessionOptions> {
  const externalData = await Promise.all(
    model.weightFiles.map(async (path) => ({ path, data: await readFile(join(model.weightsFolder ?? "", path)) })),
  );
  return { executionProviders: ["wasm"], graphOptimizationLevel: "all", logSeverityLevel: 3, externalData };
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
