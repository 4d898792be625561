// A probe's first file: a process of its own, so that a driver or library that crashes takes nothing else with it.
import { register } from "tsx/esm/api";

register();
await import("./probe-process.ts");
