// The stream: opens the source, connects the session, follows both, and tells the session what changes. What goes wrong
// becomes a notice; nothing here throws at its caller.
import {
  type Client,
  ClientError,
  type Input,
  type LiveParameters,
  type Session,
  type SessionState,
} from "@everframe/client";
import { isLive, openSource, type SourceChoice } from "../sources/open-source.ts";
import { labelOf } from "../state/controls.ts";
import { addSample } from "../state/history.ts";
import { changedParameters, fromParameters, type Look, patchLook, toParameters } from "../state/look.ts";
import { currentScales } from "../state/loras.ts";
import { noticeOf, noticeOfEnd, noticeOfSourceEnd } from "../state/notice.ts";
import type { SourceKind, State } from "../state/state.ts";
import type { Store } from "../state/store.ts";
import { OutsideChanges } from "./outside-changes.ts";
import type { PipelineWatch } from "./pipeline-watch.ts";

const REMARK_MS = 6_000;
/** Somebody who plays from elsewhere is told of once, not at every stroke. */
const OUTSIDE_REMARK_MS = 20_000;

export class Stream {
  readonly #client: Client;
  readonly #store: Store<State>;
  readonly #watch: PipelineWatch;
  #session: Session | undefined;
  #attempt: AbortController | undefined;
  #remarkTimer: ReturnType<typeof setTimeout> | undefined;
  #unfollow = (): void => {};
  #choice: SourceChoice = {};
  /** Parameters that were sent and have no answer. */
  #pending = 0;
  /** Sources that were asked for under the stream: the newest goes in. */
  #switches = 0;
  readonly #outside: OutsideChanges;
  /** The look is being changed to what the server has already. */
  #isTold = false;
  #outsideMs = Number.NEGATIVE_INFINITY;

  constructor(client: Client, store: Store<State>, watch: PipelineWatch) {
    this.#client = client;
    this.#store = store;
    this.#watch = watch;
    this.#outside = new OutsideChanges({
      current: () => this.#session?.parameters ?? {},
      take: (parameters) => this.#takeOver(parameters),
    });
  }

  /** The session that runs, if one does. */
  get session(): Session | undefined {
    return this.#session;
  }

  /** Opens a source and streams it; a stream that runs goes on with it. The open source of the same kind is used again. */
  async start(kind: SourceKind, choice: SourceChoice = {}): Promise<void> {
    this.#choice = { ...this.#choice, ...choice };
    const isAnother = Object.keys(choice).length > 0;
    if (this.#session?.state.name === "live") await this.#switchTo(kind, isAnother);
    else await this.#begin(kind, isAnother);
  }

  /** Ends the stream and gives the source back. */
  stop(): void {
    this.#endAttempt();
    this.#release();
    this.#store.update({ phase: "idle", notice: undefined });
  }

  /** The output shows its first picture. */
  firstPicture(): void {
    if (this.#store.get().phase === "warming") this.#store.update({ phase: "live" });
  }

  /** Tells the session in what the look differs. */
  follow(before: Look, after: Look): void {
    const parameters = this.#isTold ? undefined : changedParameters(before, after);
    if (parameters !== undefined) this.set(parameters);
  }

  /** Sends parameters; what the server refuses becomes a remark. */
  set(parameters: LiveParameters): void {
    if (this.#session?.state.name !== "live") return;
    this.#pending++;
    this.#store.update({ isPending: true });
    const letGo = this.#outside.hold(parameters);
    this.#session
      .set(parameters)
      .catch((error: unknown) => {
        const { code, message } = ClientError.from(error);
        if (code !== "closed" && code !== "aborted") this.say(message);
      })
      .finally(() => {
        letGo();
        this.#pending--;
        if (this.#pending === 0) this.#store.update({ isPending: false });
      });
  }

  setPaused(isPaused: boolean): void {
    if (this.#session?.state.name !== "live") return;
    this.#store.update({ isPaused });
    this.set({ paused: isPaused });
  }

  /** Shows a remark for some seconds. */
  say(remark: string): void {
    clearTimeout(this.#remarkTimer);
    this.#store.update({ remark });
    this.#remarkTimer = setTimeout(() => this.#store.update({ remark: undefined }), REMARK_MS);
  }

  close(): void {
    clearTimeout(this.#remarkTimer);
    this.stop();
  }

  async #begin(kind: SourceKind, isAnother: boolean): Promise<void> {
    this.#endAttempt();
    const attempt = new AbortController();
    this.#attempt = attempt;
    this.#store.update({ notice: undefined, phase: "opening", kind, hasStarted: true });
    try {
      const source = await this.#open(kind, isAnother);
      if (attempt.signal.aborted) {
        this.#giveBack(source);
        return;
      }
      this.#use(source, kind);
      this.#store.update({ phase: "waiting" });
      await this.#watch.whenLoaded(attempt.signal);
      this.#store.update({ phase: "connecting" });
      const before = this.#store.get().settings.look;
      const session = await this.#client.connect({
        stream: source,
        parameters: this.#firstParameters(before),
        signal: attempt.signal,
        onQueue: ({ position }) => this.#store.update({ queuePlace: position }),
      });
      this.#session = session;
      this.#listen(session);
      this.#store.update({ phase: "warming", output: session.output, queuePlace: undefined });
      // The look may have changed while the offer was on its way.
      this.follow(before, this.#store.get().settings.look);
    } catch (error) {
      if (this.#attempt !== attempt) return;
      this.#endAttempt();
      this.#store.update({ phase: "idle", notice: noticeOf(error, "start") });
    }
  }

  /** Another source under a running stream: the old one plays until the new one is open. */
  async #switchTo(kind: SourceKind, isAnother: boolean): Promise<void> {
    const session = this.#session;
    const order = ++this.#switches;
    let source: Input | undefined;
    try {
      source = await this.#open(kind, isAnother, true);
      if (session === undefined || this.#session !== session || this.#switches !== order) {
        this.#giveBack(source);
        return;
      }
      await session.replaceInput(source);
      this.#use(source, kind);
    } catch (error) {
      this.#giveBack(source);
      const { code, message, help } = ClientError.from(error);
      if (code !== "aborted" && code !== "closed") this.say(`${message} ${help}`);
    }
  }

  async #open(kind: SourceKind, isAnother: boolean, keepsFormer = false): Promise<Input | undefined> {
    const { source: former, kind: formerKind, pipeline } = this.#store.get();
    if (former !== undefined && formerKind === kind && !isAnother && isLive(former)) return former;
    if (!keepsFormer) this.#release();
    return openSource(kind, pipeline?.size ?? {}, this.#choice);
  }

  /** Makes an open source the one that goes in, and follows it; the one before is closed. */
  #use(source: Input | undefined, kind: SourceKind): void {
    if (this.#store.get().source !== source) this.#release();
    this.#unfollow();
    this.#unfollow =
      source?.on("state", ({ state, error }) => {
        if (state === "ended" && kind !== "camera") {
          this.stop();
          this.#store.update({ notice: noticeOfSourceEnd(kind) });
          return;
        }
        this.#store.update({ inputTrouble: state === "live" ? undefined : troubleOf(kind, state, error) });
      }) ?? (() => {});
    this.#store.update({ source, kind, inputTrouble: undefined });
  }

  /** Closes a source that came too late to be used. */
  #giveBack(source: Input | undefined): void {
    if (this.#store.get().source !== source) source?.release();
  }

  #listen(session: Session): void {
    session.on("state", (state) => this.#handleState(session, state));
    session.on("stats", (stats) => this.#store.update({ history: addSample(this.#store.get().history, stats) }));
    session.on("updated", (parameters) => this.#outside.hear(parameters));
    session.on("error", (error) => this.say(error.message));
    session.on("rejected", (rejected) => {
      this.say(rejected.map(({ name, allowed }) => `${name ?? "A setting"} must be ${allowed}.`).join(" "));
    });
    session.on("reloading", () => this.#store.update({ isReloading: true }));
    session.on("reloaded", () => {
      this.#store.update({ isReloading: false });
      this.#watch.look();
    });
  }

  /** What the first chunk is made with: the look, without scales of files that are not loaded, and the frames that wait. */
  #firstParameters(look: Look): LiveParameters {
    const { pipeline, frames } = this.#store.get();
    const { loraScales, ...parameters } = toParameters(look);
    const scales = currentScales(pipeline?.loras ?? [], loraScales);
    const waiting = Object.entries(frames).filter(([, { isWaiting }]) => isWaiting);
    this.#store.update({
      frames: Object.fromEntries(Object.entries(frames).map(([key, frame]) => [key, { ...frame, isWaiting: false }])),
    });
    return {
      ...parameters,
      ...(scales.length === 0 ? {} : { loraScales: scales }),
      ...Object.fromEntries(waiting.map(([key, { path }]) => [key, path])),
    };
  }

  /** Parameters that somebody else has set, into the look; the server knows them already. */
  #takeOver(parameters: LiveParameters): void {
    const { settings } = this.#store.get();
    this.#isTold = true;
    try {
      this.#store.update({ settings: { ...settings, look: patchLook(settings.look, fromParameters(parameters)) } });
    } finally {
      this.#isTold = false;
    }
    if (parameters.paused !== undefined) this.#store.update({ isPaused: parameters.paused });
    const nowMs = performance.now();
    if (nowMs - this.#outsideMs > OUTSIDE_REMARK_MS) {
      const [first = "", ...others] = Object.keys(parameters).map(labelOf);
      this.say(`Changed from elsewhere: ${[first, ...others.map((label) => label.toLowerCase())].join(", ")}.`);
    }
    this.#outsideMs = nowMs;
  }

  #handleState(session: Session, state: SessionState): void {
    if (this.#session !== session) return;
    if (state.name === "live") {
      const { interruption } = this.#store.get();
      const sinceMs = interruption?.sinceMs ?? performance.now();
      this.#store.update({ interruption: state.interrupted ? { attempt: state.attempt, sinceMs } : undefined });
      if (!state.interrupted) this.#watch.look();
    }
    if (state.name !== "closed") return;
    this.#endAttempt();
    // The notice says it all.
    this.#store.update({ phase: "idle", notice: noticeOfEnd(state), remark: undefined });
    this.#watch.look();
  }

  /** Ends session and attempt; the source stays open. */
  #endAttempt(): void {
    const session = this.#session;
    const attempt = this.#attempt;
    this.#session = undefined;
    this.#attempt = undefined;
    attempt?.abort();
    session?.close();
    this.#outside.close();
    this.#store.update({
      output: undefined,
      history: [],
      interruption: undefined,
      isReloading: false,
      isPaused: false,
      queuePlace: undefined,
      inputTrouble: undefined,
    });
  }

  #release(): void {
    this.#unfollow();
    this.#unfollow = () => {};
    this.#store.get().source?.release();
    this.#store.update({ source: undefined });
  }
}

function troubleOf(kind: SourceKind, state: "muted" | "ended", error: ClientError | undefined): string {
  if (state === "muted") {
    return kind === "screen"
      ? "What you share gives no picture just now; its window may be minimised."
      : "The camera gives no picture just now; look at its shutter.";
  }
  return `${error?.message ?? "The camera stopped."} It goes on by itself when it is back.`;
}
