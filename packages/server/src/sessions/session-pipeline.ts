/**
 * What a session has of the loaded pipeline: its work there. A reload ends the
 * work and frees the pipeline, and the one that is loaded next begins another,
 * while the session waits.
 */
import type { Pipeline } from "../pipelines/pipeline.ts";
import type { SessionWork } from "./session-work.ts";

export class SessionPipeline {
  readonly #open: (pipeline: Pipeline) => Promise<SessionWork>;
  #current: Pipeline | undefined;
  #awaited: string | undefined;
  #opening: { pipeline: Pipeline; done: Promise<void> } | undefined;
  #work: SessionWork | undefined;

  /** @param open begins the work on a pipeline, which does nothing before it is notified */
  constructor(pipeline: Pipeline, open: (pipeline: Pipeline) => Promise<SessionWork>) {
    this.#current = pipeline;
    this.#open = open;
  }

  /** What the session is for; undefined while another one is being loaded, and after the end. */
  get current(): Pipeline | undefined {
    return this.#current;
  }

  /** The pipeline that is being loaded meanwhile, by its id; it stays until the work on it has begun. */
  get awaited(): string | undefined {
    return this.#awaited;
  }

  get work(): SessionWork | undefined {
    return this.#work;
  }

  /** Begins the work on the pipeline of the moment, if there is one; called again it waits for the same. Throws what the pipeline throws. */
  async begin(): Promise<void> {
    const pipeline = this.#current;
    if (pipeline === undefined) return;
    if (this.#opening?.pipeline !== pipeline) this.#opening = { pipeline, done: this.#begin(pipeline) };
    await this.#opening.done;
  }

  /** Ends the work, because the pipeline will be freed and another one loaded. */
  async release(nextPipelineId: string): Promise<void> {
    this.#awaited = nextPipelineId;
    await this.stop();
  }

  /**
   * Begins the work on the pipeline that was loaded. Throws what the pipeline throws.
   * @returns whether that ended a wait: not when there was none, or when the pipeline is gone already
   */
  async adopt(pipeline: Pipeline): Promise<boolean> {
    this.#current = pipeline;
    await this.begin();
    if (this.#current !== pipeline || this.#awaited === undefined) return false;
    this.#awaited = undefined;
    return true;
  }

  /** Ends the work; none begins before another pipeline is adopted. */
  async stop(): Promise<void> {
    const work = this.#work;
    this.#current = undefined;
    this.#opening = undefined;
    this.#work = undefined;
    await work?.stop();
  }

  async #begin(pipeline: Pipeline): Promise<void> {
    let work: SessionWork;
    try {
      work = await this.#open(pipeline);
    } catch (error) {
      // A pipeline that is being freed opens no streams.
      if (this.#current !== pipeline) return;
      throw error;
    }
    if (this.#current === pipeline) this.#work = work;
    else await work.stop();
  }
}
