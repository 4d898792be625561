/** Tries one thing, prints what came of it as a line of JSON, and ends: `probe.mjs cpu | webgpu | webrtc | model FOLDER`. */
import { LongLiveModel, measureSpeed } from "@everframe/longlive";
import { defaultParameters, errorText } from "@everframe/protocol";
import type { ModelSpeed } from "./probe.ts";

const [kind, argument = ""] = process.argv.slice(2);
let result: unknown;
try {
  result = { value: await run() };
} catch (error) {
  result = { error: errorText(error) };
}
process.stdout.write(`\n${JSON.stringify(result)}\n`, () => {
  // An ordinary end would wait for threads of native libraries; what they hold goes with the process.
  process.kill(process.pid, "SIGKILL");
});

async function run(): Promise<unknown> {
  switch (kind) {
    case "cpu":
    case "webgpu":
      return await measureSpeed({ device: kind });
    case "webrtc": {
      await import("@roamhq/wrtc");
      return true;
    }
    case "model":
      return await measureModel(argument);
    default:
      throw new Error(`internal: there is no probe "${kind}"`);
  }
}

/** Chunks of grey video through a model, at its own size and with its usual steps. */
async function measureModel(folder: string): Promise<ModelSpeed> {
  const model = await LongLiveModel.load(folder);
  const stream = model.openStream({ seed: 42 });
  const { width, height } = model.size;
  const grey = () => ({ width, height, data: new Uint8Array(width * height * 4).fill(128) });
  let framesPerSecond = 0;
  for (let chunk = 0; chunk < 4; chunk++) {
    const frames = Array.from({ length: stream.inputFramesPerChunk }, grey);
    const parameters = { ...defaultParameters(), inputMode: "video" as const, prompts: [{ text: "photo", weight: 1 }] };
    const made = await stream.generate({ parameters, frames });
    // The first chunk is another one: it starts the stream.
    if (chunk > 0) framesPerSecond = Math.max(framesPerSecond, (1000 * made.frames.length) / made.timingsMs.total);
  }
  return { width, height, framesPerSecond };
}
