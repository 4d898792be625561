// Programs of the system that some unit tests run. Where one cannot be installed, its tests are left out and say so.
import { spawnSync } from "node:child_process";
import { installDebian } from "./debian.ts";

/** Debian packages by the program in them: TURN servers are tested with coturn, recordings with ffmpeg. */
const TOOLS = { turnserver: "coturn", ffmpeg: "ffmpeg" };

export function ensureTestTools(): void {
  for (const [program, name] of Object.entries(TOOLS)) {
    if (isInstalled(program) || installDebian(name)) continue;
    console.warn(`${program} is not installed (Debian: apt-get install ${name}): its tests are left out.`);
  }
}

/** Looks it up instead of running it: coturn, asked the wrong way for its version, serves until it is ended. */
function isInstalled(program: string): boolean {
  return spawnSync("sh", ["-c", `command -v ${program}`], { stdio: "ignore" }).status === 0;
}
