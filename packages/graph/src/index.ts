/** Typed op builder over ONNX, safetensors reader, and sessions that run the graphs. */
export { type Dim, type Shape, ShapeError } from "./dims.ts";
export type { DType, TensorData } from "./dtype.ts";
export { Graph } from "./graph.ts";
export type { GraphOptions, Value } from "./graph-core.ts";
export type { Device, Model, Port } from "./model.ts";
export { type SafetensorsDType, SafetensorsError, SafetensorsFile, type TensorInfo } from "./safetensors.ts";
export { Session, SessionError, type SessionOptions, type Tensor, type TensorLike } from "./session.ts";
