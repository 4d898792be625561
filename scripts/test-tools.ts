// Programs of the system that some unit tests run. Where one cannot be installed, its tests are left out and say so.
import { spawnSync } from "node:child_process";
import { installDebian } from "./debian.ts";

/** Debian packages by the program in them: TURN servers are tested with coturn, recordings with ffmpeg. */
const TOOLS = { turnserver: "coturn", ffmpeg: "ffmpeg" };

export function ensureTestTools(): void {
  for (const [program, name] of Object.entries(TOOLS)) {
    if (spawnSync(program, ["-version"], { stdio: "ignore" }).error === undefined || installDebian(name)) continue;
    console.warn(`${program} is not installed (Debian: apt-get install ${name}): its tests are left out.`);
  }
}
