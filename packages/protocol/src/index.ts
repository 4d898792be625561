/** What client and server agree on: bodies, messages, parameters, errors. Neither Node nor DOM. */
export * from "./compat.ts";
export * from "./errors.ts";
export * from "./http.ts";
export * from "./load.ts";
export * from "./messages.ts";
export * from "./parameter-description.ts";
export * from "./parameter-table.ts";
export * from "./parameters.ts";
export * from "./validation.ts";
