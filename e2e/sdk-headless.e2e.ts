// The two examples without a browser, as their users run them: a colourful clip goes in, and a grey one has to come out.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { meanSaturation, type Picture } from "./harness/picture.ts";
import { ROOT, type RunningServer, startServer } from "./harness/server.ts";

const hasFfmpeg = spawnSync("ffmpeg", ["-version"], { stdio: "ignore" }).status === 0;
/** Debian's package is for Debian's own interpreter, which need not be the first one found. */
const python = ["python3", "/usr/bin/python3"].find(
  (one) => spawnSync(one, ["-c", "import aiortc"], { stdio: "ignore" }).status === 0,
);
const SIZE = { width: 144, height: 80 };

let server: RunningServer;
let folder: string;
let clip: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "everframe-headless-"));
  clip = join(folder, "in.mp4");
  if (!hasFfmpeg) return;
  run("ffmpeg", ["-v", "error", "-f", "lavfi", "-i", "testsrc2=size=320x176:rate=30:duration=4", "-y", clip]);
  server = await startServer();
});
afterAll(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Runs a program to its end; throws with what it said when it fails. */
function run(program: string, args: readonly string[], cwd = ROOT): Buffer {
  const { status, stdout, stderr } = spawnSync(program, args, { cwd, maxBuffer: 1 << 28, timeout: 110_000 });
  if (status !== 0) throw new Error(`${program} ended with ${status}:\n${stdout.toString().slice(-500)}\n${stderr}`);
  return stdout;
}

/** Every picture of a file, small. */
function picturesOf(path: string): Picture[] {
  const { width, height } = SIZE;
  const raw = ["-vf", `scale=${width}:${height}`, "-f", "rawvideo", "-pix_fmt", "rgba", "pipe:1"];
  const bytes = run("ffmpeg", ["-v", "error", "-i", path, ...raw]);
  const length = width * height * 4;
  return Array.from({ length: bytes.length / length }, (_, i) => ({
    ...SIZE,
    data: [...bytes.subarray(i * length, (i + 1) * length)],
  }));
}

function expectGrey(path: string): void {
  const [before, after] = [picturesOf(clip), picturesOf(path)];
  expect(after.length).toBeGreaterThanOrEqual(12);
  expect(meanSaturation(after.at(-1)!)).toBeLessThan(0.4 * meanSaturation(before.at(-1)!));
}

test.skipIf(!hasFfmpeg)("the Node example turns a colourful file grey", () => {
  const output = join(folder, "node.mp4");
  const script = join(ROOT, "examples/file-to-file.ts");
  run(process.execPath, ["--import", "tsx", script, clip, output, "black and white", "--server", server.url]);
  expectGrey(output);
});

test.skipIf(!hasFfmpeg || python === undefined)("the Python example does the same", () => {
  const output = join(folder, "python.mp4");
  run(python!, [join(ROOT, "examples/file_to_file.py"), clip, output, "black and white", "--server", server.url]);
  expectGrey(output);
});
