/** Typed op builder over ONNX, readers of weight files, and sessions that run the graphs. */
export { isFusedAttentionRight } from "./attention-check.ts";
export { DeviceCopier } from "./device-copier.ts";
export { DeviceTensor } from "./device-tensor.ts";
export { type Dim, divideDim, type Shape, ShapeError } from "./dims.ts";
export type { DType, TensorData } from "./dtype.ts";
export { Graph } from "./graph.ts";
export type { GraphOptions, Value } from "./graph-core.ts";
export type { Device, Model, Port } from "./model.ts";
export { type OpenWeightsOptions, openWeights } from "./open-weights.ts";
export { SafetensorsError, SafetensorsFile } from "./safetensors.ts";
export { type Results, Session, SessionError, type SessionOptions, type Tensor, type TensorLike } from "./session.ts";
export { TorchFile, TorchFileError, type TorchFileOptions } from "./torch-file.ts";
export { TensorFile, type TensorInfo, type WeightDType, type WeightFile, WeightFileError } from "./weight-file.ts";
