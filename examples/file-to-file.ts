// Video file in, video file out, without a browser: the SDK in Node, with WebRTC from @roamhq/wrtc. The file is decoded by
// ffmpeg and sent as a camera would send it; what the server makes of it is recorded there (by its own ffmpeg) and fetched.
// A server slower than the file leaves pictures out, so play it slower if every one matters:
//
//   node --import tsx examples/file-to-file.ts in.mp4 out.mp4 "oil painting" --speed 0.25 --server http://localhost:8000
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { createClient } from "@everframe/client";
import wrtc from "@roamhq/wrtc";

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    server: { type: "string", default: "http://localhost:8000" },
    token: { type: "string" },
    speed: { type: "string", default: "1" },
  },
});
const [input, output, prompt = ""] = positionals;
if (input === undefined || output === undefined) {
  throw new Error("usage: file-to-file.ts <input> <output.mp4> [prompt] [--speed 1] [--server URL] [--token TOKEN]");
}

/** Pictures that the server makes after the input has ended: the last chunk, and what waits behind it. */
const TAIL_MS = 4_000;

const client = createClient({
  url: values.server,
  ...(values.token === undefined ? {} : { token: values.token }),
  // The library's types are those of Node, the SDK's those of the browser: the same things.
  RTCPeerConnection: wrtc.RTCPeerConnection as unknown as typeof RTCPeerConnection,
});
const { size = { width: 576, height: 320 } } = await client.load();

const source = new wrtc.nonstandard.RTCVideoSource();
const track = source.createTrack();
const stream = new wrtc.MediaStream([track]) as unknown as MediaStream;
const session = await client.connect({ stream, parameters: { prompts: prompt, vaceEnabled: false } });
session.on("state", (state) => console.log(state.name));
session.on("error", (error) => console.warn(`${error.message} ${error.help}`));
await session.recording.start({ format: output.endsWith(".webm") ? "webm" : "mp4" });

const decoder = decode(input, Number(values.speed));
await sendPictures(decoder);
await new Promise((resolve) => setTimeout(resolve, TAIL_MS));

const { frames, durationMs } = await session.recording.stop();
await writeFile(output, new Uint8Array(await (await session.recording.download()).arrayBuffer()));
console.log(`${output}: ${frames} pictures, ${(durationMs / 1000).toFixed(1)} s`);
session.close();
track.stop();
// The library crashes when Node ends while its connections still close.
setTimeout(() => process.exit(), 3_000);

/** The file's pictures as they would be shown, in the model's size, cropped at the edges. */
function decode(path: string, speed: number): ChildProcess {
  const { width, height } = size;
  const fit = `scale=${width}:${height}:force_original_aspect_ratio=increase,crop=${width}:${height}`;
  const raw = ["-f", "rawvideo", "-pix_fmt", "yuv420p", "pipe:1"];
  const options = ["-v", "error", "-readrate", String(speed), "-i", path, "-an", "-vf", fit, ...raw];
  return spawn("ffmpeg", options, { stdio: ["ignore", "pipe", "inherit"] });
}

/** Hands each picture to the track as soon as ffmpeg gives it. */
async function sendPictures(ffmpeg: ChildProcess): Promise<void> {
  const { width, height } = size;
  const bytes = (width * height * 3) / 2; // I420: [height, width] luma, then both chromas of a quarter each
  let waiting = Buffer.alloc(0);
  ffmpeg.stdout?.on("data", (part: Buffer) => {
    waiting = Buffer.concat([waiting, part]);
    for (; waiting.length >= bytes; waiting = waiting.subarray(bytes)) {
      source.onFrame({ width, height, data: new Uint8Array(waiting.subarray(0, bytes)) });
    }
  });
  const [code] = await once(ffmpeg, "close");
  if (code !== 0) throw new Error(`ffmpeg ended with code ${code}: is ${input} a video?`);
}
