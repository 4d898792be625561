/**
 * A pipeline whose chunks take as long as a test says, on the test's clock.
 * It answers video with the same pictures, and text with ones that tell which
 * stream made them and which of its chunks they belong to.
 */
import type { LoadParams, Parameters } from "@everframe/protocol";
import { parseLoadRequest } from "@everframe/protocol";
import type { Chunk, ChunkStream, Needs, Pipeline, Size } from "../pipelines/pipeline.ts";
import type { Clock } from "../sessions/clock.ts";

export type StubOptions = {
  clock: Clock;
  id?: string;
  /** How long the next chunk takes. Default 500. */
  chunkMs?: () => number;
  framesPerChunk?: number;
  size?: Size;
  needs?: Needs;
  loadParams?: Partial<LoadParams>;
  /** Throws where opening a stream should fail. */
  onOpen?: () => void;
};

export type StubPipeline = Pipeline & {
  /** Of each chunk that was begun. */
  readonly begun: { stream: number; chunk: number; parameters: Parameters; atMs: number }[];
  /** Streams that are open. */
  readonly open: Set<number>;
};

export function stubPipeline(options: StubOptions): StubPipeline {
  const { clock, id = "stub", chunkMs = () => 500, framesPerChunk = 12, needs } = options;
  const size = options.size ?? { width: 2, height: 2 };
  const { loadParams } = parseLoadRequest({ pipeline_id: id });
  const begun: StubPipeline["begun"] = [];
  const open = new Set<number>();
  let streams = 0;

  function openStream(): ChunkStream {
    const stream = streams++;
    let chunks = 0;
    open.add(stream);
    return {
      kind: "chunks",
      framesPerChunk,
      async generate({ parameters, frames }, signal): Promise<Chunk> {
        const chunk = chunks++;
        begun.push({ stream, chunk, parameters, atMs: clock.now() });
        const takenMs = chunkMs();
        await new Promise<void>((resolve, reject) => {
          const give = () => {
            cancel();
            reject(signal.reason);
          };
          const cancel = clock.after(takenMs, () => {
            signal.removeEventListener("abort", give);
            resolve();
          });
          signal.addEventListener("abort", give);
        });
        const made = frames ?? Array.from({ length: framesPerChunk }, () => textPicture(size, stream, chunk));
        return { frames: made, stagesMs: { total: takenMs }, notices: [] };
      },
      close: () => open.delete(stream),
    };
  }

  return {
    id,
    model: `${id}-model`,
    size,
    defaultSize: size,
    loadParams: { ...loadParams, ...options.loadParams },
    ...(needs === undefined ? {} : { needs }),
    begun,
    open,
    openStream: async () => {
      options.onOpen?.();
      return openStream();
    },
    close: async () => {},
  };
}

/** Its first bytes are the stream's and the chunk's number. */
function textPicture({ width, height }: Size, stream: number, chunk: number) {
  const data = new Uint8Array(Math.max(4, width * height * 4));
  data.set([stream, chunk]);
  return { width, height, data };
}
