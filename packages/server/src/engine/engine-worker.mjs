// The engine thread's first file: threads do not inherit the loader that runs TypeScript from source, so it is set up here.
import { register } from "tsx/esm/api";

register();
await import("./engine-worker.ts");
