// The browser SDK: load a pipeline, connect a stream, change its parameters while it runs.
export type { HardwareInfo, ParameterName } from "@everframe/protocol";
export type { Asset, Assets } from "./assets.ts";
export { type CameraDevice, cameras, watchCameras } from "./camera-device.ts";
export * from "./client.ts";
export {
  ClientError,
  type ClientErrorCode,
  type ConnectionReason,
  type DeviceReason,
  deviceReason,
  type Queue,
} from "./errors.ts";
export type { Frame } from "./frame-watcher.ts";
export type { CallOptions } from "./http.ts";
export {
  type CameraOptions,
  camera,
  canvas,
  file,
  type Input,
  type InputEvent,
  type InputKind,
  type InputSize,
  scene,
  screen,
} from "./inputs.ts";
export type { DownloadOptions, DownloadProgress, ModelStatus, Models } from "./models.ts";
export type { Applied } from "./parameter-sender.ts";
export type { ReconnectPolicy } from "./reconnect-policy.ts";
export type { Recording, SessionRecording } from "./recording.ts";
export type { ParameterDescription, PipelineSchema } from "./schemas.ts";
export type { ConnectOptions, Session } from "./session.ts";
export type { Reloaded, SessionEvents, StopNotice } from "./session-events.ts";
export * from "./session-state.ts";
export type { ServerStats, SessionStats } from "./stats.ts";
export type { LiveParameters, LoadOptions, PromptInput, Rejection } from "./wire-parameters.ts";
