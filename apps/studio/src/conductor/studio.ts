// The page's conductor, without React: holds the store and the parts that change it, and turns what the person does into
// changes of the look. Components read the store and call what is here.
import { type Client, ClientError } from "@everframe/client";
import type { SourceChoice } from "../sources/open-source.ts";
import { liveControls } from "../state/controls.ts";
import {
  changePrompt,
  type Look,
  type LookPatch,
  MAX_TRANSITION_CHUNKS,
  patchLook,
  withPrompt,
} from "../state/look.ts";
import { currentScales, type LoraFile, loraName, SCALE_RANGE, toLoraFiles } from "../state/loras.ts";
import { valueAt } from "../state/midi.ts";
import { PRESETS, presetOf } from "../state/presets.ts";
import { remember } from "../state/prompt-history.ts";
import { type View, writeSettings, writeStored } from "../state/settings.ts";
import { fromHash, toLink } from "../state/share-link.ts";
import { initialState, KEYS, type SourceKind, type State } from "../state/state.ts";
import { Store } from "../state/store.ts";
import { MidiInput } from "./midi-input.ts";
import { ModelFiles } from "./model-files.ts";
import { pictureOf } from "./pictures.ts";
import { PipelineWatch } from "./pipeline-watch.ts";
import { fileName, Recorder, save } from "./recorder.ts";
import { References } from "./references.ts";
import { Screens, type StageElements } from "./screens.ts";
import { Stream } from "./stream.ts";
import { Thumbnails } from "./thumbnails.ts";
import { TimelinePlayer } from "./timeline-player.ts";

const STORE_MS = 250;
const NOISE_STEP = 0.05;
/** Before a LoRA's name, as a slider's name. */
const LORA_TARGET = "lora:";

export class Studio {
  readonly store: Store<State>;
  readonly watch: PipelineWatch;
  readonly stream: Stream;
  readonly timeline: TimelinePlayer;
  readonly references: References;
  readonly thumbnails: Thumbnails;
  readonly midi: MidiInput;
  readonly models: ModelFiles;
  readonly stage: StageElements = { video: undefined, inputVideo: undefined, frame: undefined };
  readonly screens: Screens;
  readonly #recorder: Recorder;
  readonly #disposers: (() => void)[] = [];
  #storeTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(client: Client, store = new Store(initialState())) {
    this.store = store;
    const setLook = (look: Look) => this.setLook(look);
    this.watch = new PipelineWatch(client, store);
    this.stream = new Stream(client, store, this.watch);
    this.timeline = new TimelinePlayer(store, setLook);
    this.references = new References({ client, store, setLook, send: (parameters) => this.stream.set(parameters) });
    this.thumbnails = new Thumbnails({ store, setLook, video: () => this.stage.video });
    this.midi = new MidiInput(store, (target, position) => this.moveSlider(target, position));
    this.models = new ModelFiles(client, store);
    this.screens = new Screens(store, this.stage, (remark) => this.stream.say(remark));
    this.#recorder = new Recorder(store);
  }

  /** Begins to watch the server and the store. Returns the function that ends it all. */
  open(): () => void {
    this.watch.look();
    this.#disposers.push(
      this.store.watch(
        ({ settings }) => settings,
        (settings) => {
          clearTimeout(this.#storeTimer);
          this.#storeTimer = setTimeout(() => writeSettings(settings), STORE_MS);
        },
      ),
      this.store.watch(
        ({ settings }) => settings.look,
        (look, before) => {
          this.stream.follow(before, look);
          this.timeline.follow(before, look);
          this.thumbnails.follow(look);
        },
      ),
      this.store.watch(
        ({ output }) => output,
        (output) => {
          if (output !== undefined) return;
          // What was recorded of a stream that ends is kept.
          this.#recorder.stop();
          this.timeline.pause();
        },
      ),
      this.store.watch(
        ({ phase }) => phase,
        (phase) => {
          if (phase === "live") this.thumbnails.follow(this.store.get().settings.look);
        },
      ),
    );
    return () => this.close();
  }

  close(): void {
    // Before its watchers go: the end of a stream saves what was recorded of it.
    this.stream.close();
    for (const dispose of this.#disposers.splice(0)) dispose();
    clearTimeout(this.#storeTimer);
    this.thumbnails.close();
    this.midi.close();
    this.timeline.close();
    this.watch.close();
    this.screens.close();
  }

  start(kind: SourceKind, choice?: SourceChoice): void {
    void this.stream.start(kind, choice);
  }

  setLook(look: Look): void {
    const { settings, pipeline } = this.store.get();
    this.store.update({ settings: { ...settings, look } });
    const needsVace = look.mode === "vace" && settings.look.mode !== "vace" && pipeline?.vaceEnabled === false;
    if (needsVace) void this.watch.load();
  }

  patchLook(patch: LookPatch): void {
    this.setLook(patchLook(this.store.get().settings.look, patch));
  }

  /** Plays one prompt alone and remembers it. */
  sendPrompt(text: string): void {
    this.setLook(withPrompt(this.store.get().settings.look, text));
    const promptHistory = remember(this.store.get().promptHistory, text);
    this.store.update({ promptHistory });
    writeStored(KEYS.prompts, promptHistory);
  }

  setValue(key: string, value: unknown): void {
    this.patchLook({ values: { [key]: value } });
  }

  setView(patch: Partial<View>): void {
    const { settings } = this.store.get();
    this.store.update({ settings: { ...settings, view: { ...settings.view, ...patch } } });
  }

  /** Moves a slider by its name: a parameter's, or "weight:0" for the first prompt's weight. */
  moveSlider(target: string, position: number): void {
    const { look } = this.store.get().settings;
    const [, index] = target.match(/^weight:(\d)$/) ?? [];
    if (index !== undefined) {
      const weight = valueAt(position, { min: 0, max: 1, step: 0.01 });
      this.setLook(changePrompt(look, Number(index), { weight }));
      return;
    }
    if (target === "transitionChunks") {
      this.patchLook({ transitionChunks: valueAt(position, { min: 0, max: MAX_TRANSITION_CHUNKS, step: 1 }) });
      return;
    }
    if (target.startsWith(LORA_TARGET)) {
      const path = this.#loras().find((lora) => loraName(lora.path) === target.slice(LORA_TARGET.length))?.path;
      if (path !== undefined) this.setLoraScale(path, valueAt(position, SCALE_RANGE));
      return;
    }
    const { min, max, step } = this.#sliderOf(target) ?? { min: 0, max: 1, step: 0.01 };
    this.setValue(target, valueAt(position, { min, max, step }));
  }

  /** Changes how strongly a loaded LoRA acts. */
  setLoraScale(path: string, scale: number): void {
    this.setValue(
      "loraScales",
      this.#loras().map((lora) => (lora.path === path ? { path, scale } : lora)),
    );
  }

  #loras() {
    const { pipeline, settings } = this.store.get();
    return currentScales(pipeline?.loras ?? [], settings.look.values["loraScales"]);
  }

  newSeed(): void {
    this.setValue("baseSeed", Math.floor(Math.random() * 1_000_000));
  }

  /** A hard cut: the model forgets what came before. */
  resetCache(): void {
    this.stream.set({ resetCache: true });
  }

  /** Takes the LoRAs out that an error names, all when it names none, and goes on with the source that is open. */
  async goOnWithoutLoras(message: string): Promise<void> {
    const { settings, kind, source } = this.store.get();
    const loras = toLoraFiles(settings.load.values["loras"]);
    const others = loras.filter(({ path }) => !message.includes(path));
    await this.setLoras(others.length < loras.length ? others : []);
    if (source !== undefined) this.start(kind);
  }

  toggleRecording(): void {
    const { recording, output } = this.store.get();
    if (recording !== undefined) this.#recorder.stop();
    else if (output !== undefined) this.#try(() => this.#recorder.start(output));
  }

  /** Saves the picture that is seen now, as large as the server makes it. */
  async takeStill(): Promise<void> {
    const { session } = this.stream;
    const { video } = this.stage;
    if (session === undefined) return;
    try {
      save(await session.snapshot({ quality: 0.95 }), fileName("still", "jpg"));
      this.stream.say("The still is in your downloads.");
    } catch (error) {
      if (video === undefined || video.videoWidth === 0) return this.#tell(error);
      // What is shown is nearly as good as what the server has.
      const size = { width: video.videoWidth, height: video.videoHeight };
      save(await pictureOf(video, size, "image/png").blob(), fileName("still", "png"));
    }
  }

  /** What goes in now, as an image; undefined while nothing does. */
  async inputImage(): Promise<Blob | undefined> {
    const { inputVideo } = this.stage;
    if (inputVideo === undefined || inputVideo.videoWidth === 0) return undefined;
    const size = { width: inputVideo.videoWidth, height: inputVideo.videoHeight };
    return pictureOf(inputVideo, size, "image/png").blob();
  }

  /** Takes what goes in now as a reference image. */
  async referenceFromInput(): Promise<void> {
    const image = await this.inputImage();
    if (image !== undefined) await this.addReference(image, "Snapshot");
  }

  addReference(image: Blob, name: string): Promise<void> {
    return this.references.add(image, name).catch((error: unknown) => this.#tell(error));
  }

  /** Takes an image, or what goes in now, for a parameter that takes one. */
  async placeFrame(key: string, image?: File): Promise<void> {
    const picture = image ?? (await this.inputImage());
    if (picture === undefined) return;
    await this.references.place(key, picture, image?.name ?? "Snapshot").catch((error: unknown) => this.#tell(error));
  }

  /** Adds a LoRA file by its name, or changes the list; loads the model again. */
  async setLoras(loras: readonly LoraFile[]): Promise<void> {
    const { settings } = this.store.get();
    // The sliders begin again at the scales of the load.
    this.patchLook({ values: { loraScales: [] } });
    await this.watch.choose({ values: { ...settings.load.values, loras } });
  }

  /** Copies a link to the look and the timeline. */
  async share(): Promise<void> {
    const { settings, timeline } = this.store.get();
    const link = toLink(location.href, settings, timeline);
    try {
      await navigator.clipboard.writeText(link);
      this.stream.say("The link is copied: it holds the prompts, the settings and the timeline.");
    } catch {
      // No permission, or no secure context: the address bar can be copied by hand.
      history.replaceState(null, "", link);
      this.stream.say("Copy the link from the address bar: it holds the prompts and the settings.");
    }
  }

  /** Takes over what a link holds. */
  readLink(hash: string): void {
    const shared = fromHash(hash);
    if (shared === undefined) return;
    const { settings } = this.store.get();
    this.store.update({ settings: { ...settings, look: patchLook(settings.look, shared.look) } });
    if (shared.timeline !== undefined) {
      this.store.update({
        timeline: shared.timeline,
        settings: { ...this.store.get().settings, view: { ...settings.view, timeline: true } },
      });
    }
  }

  /** Plays the look after, or before, the one that is on. */
  stepLook(step: 1 | -1): void {
    const [prompt] = this.store.get().settings.look.prompts;
    const current = presetOf(prompt?.text ?? "");
    const index = current === undefined ? (step === 1 ? -1 : 0) : PRESETS.indexOf(current);
    const next = PRESETS[(index + step + PRESETS.length) % PRESETS.length];
    if (next !== undefined) this.sendPrompt(next.prompt);
  }

  /** More or less of the prompt: the noise in Normal mode; in VACE mode the guidance, the other way round. */
  nudge(direction: 1 | -1): void {
    const { mode, values } = this.store.get().settings.look;
    const key = mode === "vace" ? "vaceContextScale" : "noiseScale";
    const { min, max } = this.#sliderOf(key) ?? { min: 0, max: mode === "vace" ? 2 : 1 };
    const value = Number(values[key] ?? 1) + (mode === "vace" ? -2 : 1) * direction * NOISE_STEP;
    this.setValue(key, Number(Math.min(max, Math.max(min, value)).toFixed(2)));
  }

  #sliderOf(key: string): { min: number; max: number; step: number } | undefined {
    const { schemas, settings, kind } = this.store.get();
    const parameters = schemas[settings.load.pipeline]?.parameters ?? [];
    const occasion = { look: settings.look, hasInput: kind !== "none", hasVace: true, hasLoras: false };
    return liveControls(parameters, occasion).find((control) => control.key === key);
  }

  #try(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.#tell(error);
    }
  }

  #tell(error: unknown): void {
    const { message, help } = ClientError.from(error);
    this.stream.say(`${message} ${help}`);
  }
}
