/**
 * Chooses the build of ONNX Runtime: the native one (onnxruntime-node), or the
 * WebAssembly one (onnxruntime-web) where the native library is missing, as on
 * Intel Macs and musl systems. Both run the same model bytes.
 */
import type * as OrtNode from "onnxruntime-node";

/** The parts of the packages that sessions use; both packages share these types. */
export type Ort = Pick<typeof OrtNode, "InferenceSession" | "Tensor" | "env">;

export type Runtime = {
  readonly kind: "native" | "wasm";
  readonly ort: Ort;
  /** Names of the execution providers that are present. */
  readonly backends: readonly string[];
};

/** Set to "wasm" to use the WebAssembly build although the native one is there. */
export const ENGINE_VARIABLE = "EVERFRAME_ENGINE";

const loaded = new Map<Runtime["kind"], Promise<Runtime>>();
let wasmReported = false;

/**
 * The runtime of this process, loaded once.
 * @param log Receives one line when the WebAssembly build is used for the first time.
 */
export async function loadRuntime(log: (line: string) => void): Promise<Runtime> {
  let reason = `${ENGINE_VARIABLE}=wasm`;
  if (process.env[ENGINE_VARIABLE] !== "wasm") {
    try {
      return await once("native", loadNative);
    } catch (cause) {
      reason = `the native engine cannot be loaded: ${cause instanceof Error ? cause.message.split("\n")[0] : cause}`;
    }
  }
  if (!wasmReported) log(`Using the WebAssembly engine, which is slower than the native one (${reason}).`);
  wasmReported = true;
  return once("wasm", loadWasm);
}

function once(kind: Runtime["kind"], load: () => Promise<Runtime>): Promise<Runtime> {
  const known = loaded.get(kind);
  if (known !== undefined) return known;
  const runtime = load();
  loaded.set(kind, runtime);
  return runtime;
}

async function loadNative(): Promise<Runtime> {
  const ort = await import("onnxruntime-node");
  ort.env.logLevel = "error";
  return { kind: "native", ort, backends: ort.listSupportedBackends().map(({ name }) => name) };
}

async function loadWasm(): Promise<Runtime> {
  const ort = await import("onnxruntime-web");
  ort.env.logLevel = "error";
  return { kind: "wasm", ort, backends: ["wasm"] };
}
