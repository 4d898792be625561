// The browser SDK: load a pipeline, connect a stream, change its parameters while it runs.
export type { ParameterName } from "@everframe/protocol";
export * from "./client.ts";
export { ClientError, type ClientErrorCode, type ConnectionReason, type DeviceReason, deviceReason } from "./errors.ts";
export * from "./inputs.ts";
export type { ConnectOptions, Session, SessionEvents, StopNotice } from "./session.ts";
export * from "./session-state.ts";
export type { ServerStats, SessionStats } from "./stats.ts";
export type { LiveParameters, LoadOptions, PromptInput, Rejection } from "./wire-parameters.ts";
