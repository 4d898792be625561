/**
 * The shipped runtime as a process that others can drive: reads one job a line
 * from standard input, streams the job's video through a LongLiveModel as a
 * server would, and answers with one line of JSON. Pictures are raw RGB, 8
 * bits, in files that the job names, so nothing has to be encoded.
 *
 * Usage: node scripts/run.mjs training/evaluation/runner.ts <model folder> [threads]
 */
import { readFileSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { type Chunk, type Frame, LongLiveModel } from "@everframe/longlive";
import { defaultParameters, mergeParameters, parseParameters } from "@everframe/protocol";

type Picture = { path: string; width: number; height: number };

type Job = {
  width: number;
  height: number;
  seed: number;
  chunks: number;
  /** Input frames of the first chunk; later ones take 12. */
  first: number;
  /** Live parameters, as a client sends them. */
  parameters: unknown;
  /** All input frames, [n, height, width, 3]; the stream starts over when they are used up. Absent: no input video. */
  input?: string;
  references?: Picture[];
  /** Where the kept frames go, [n, height, width, 3]. */
  output: string;
  /** Chunks whose frames are kept. Default: all. */
  keep?: number[];
};

type Answer = { frames: number[]; chunkMs: number[]; notices: string[] } | { error: string };

const FRAMES_PER_CHUNK = 12;

const [folder, threads] = process.argv.slice(2);
if (folder === undefined) {
  console.error("usage: runner.ts <model folder> [threads]");
  process.exit(2);
}
const models = new Map<string, Promise<LongLiveModel>>();
/** The newest input video: many jobs in a row take the same one. */
let newest: { path: string; frames: Frame[] } | undefined;

for await (const line of createInterface({ input: process.stdin })) {
  const answer = await run(JSON.parse(line) as Job).catch((error: Error): Answer => ({ error: error.message }));
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
for (const model of models.values()) await (await model).close();

async function run(job: Job): Promise<Answer> {
  const model = await modelOf(job.width, job.height);
  const { accepted, rejected, ignored } = parseParameters(job.parameters);
  if (rejected.length > 0 || ignored.length > 0) throw new Error(`unusable: ${JSON.stringify({ rejected, ignored })}`);
  const parameters = mergeParameters(defaultParameters(), accepted);
  const video = job.input === undefined ? [] : inputOf(job.input, job);
  const references = job.references?.flatMap(toFrames);
  const stream = model.openStream({ seed: job.seed });
  const answer = { frames: [] as number[], chunkMs: [] as number[], notices: [] as string[] };
  const kept: Uint8Array[] = [];
  let next = 0;
  for (let index = 0; index < job.chunks; index++) {
    const count = index === 0 ? job.first : FRAMES_PER_CHUNK;
    const frames = Array.from({ length: video.length > 0 ? count : 0 }, (_, i) => video[(next + i) % video.length]!);
    next += count;
    const chunk: Chunk = await stream.generate({
      parameters,
      ...(frames.length > 0 ? { frames } : {}),
      ...(index === 0 && references ? { references } : {}),
    });
    if (job.keep === undefined || job.keep.includes(index)) {
      kept.push(...chunk.frames.map(toRgb));
      answer.frames.push(chunk.frames.length);
    }
    answer.chunkMs.push(chunk.timingsMs.total);
    answer.notices.push(...chunk.notices);
  }
  stream.close();
  writeFileSync(job.output, Buffer.concat(kept));
  return answer;
}

function modelOf(width: number, height: number): Promise<LongLiveModel> {
  const name = `${width}x${height}`;
  const loaded =
    models.get(name) ??
    LongLiveModel.load(folder!, { width, height, ...(threads === undefined ? {} : { threads: Number(threads) }) });
  models.set(name, loaded);
  return loaded;
}

function inputOf(path: string, { width, height }: Job): Frame[] {
  if (newest?.path !== path) newest = { path, frames: toFrames({ path, width, height }) };
  return newest.frames;
}

function toFrames({ path, width, height }: Picture): Frame[] {
  const bytes = readFileSync(path);
  const size = width * height;
  return Array.from({ length: bytes.length / (3 * size) }, (_, frame) => {
    const rgb = bytes.subarray(frame * 3 * size, (frame + 1) * 3 * size);
    const data = new Uint8Array(4 * size).fill(255);
    for (let i = 0; i < size; i++) {
      data[4 * i] = rgb[3 * i]!;
      data[4 * i + 1] = rgb[3 * i + 1]!;
      data[4 * i + 2] = rgb[3 * i + 2]!;
    }
    return { width, height, data };
  });
}

function toRgb({ width, height, data }: Frame): Uint8Array {
  const rgb = new Uint8Array(width * height * 3);
  for (let i = 0; i < width * height; i++) {
    rgb[3 * i] = data[4 * i]!;
    rgb[3 * i + 1] = data[4 * i + 1]!;
    rgb[3 * i + 2] = data[4 * i + 2]!;
  }
  return rgb;
}
