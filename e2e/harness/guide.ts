// The test's hold on the guide's client in the page: typed calls, and waits that read the received pixels.
import type { Page } from "playwright-core";
import { meanPicture, type Picture } from "./picture.ts";

type GuideWindow = {
  Scene: { stream(): MediaStream; setMoving(value: boolean): void };
  Guide: {
    state: { frames: number; distinct: number; messages: { type: string }[]; sessionId: string };
    load(loadParams: object): Promise<{ model?: string }>;
    start(stream: MediaStream, initialParameters: object): Promise<string>;
    uploadPainting(name: string, ground: string, shapes: string): Promise<string>;
    send(parameters: object): void;
    sendText(text: string): void;
    stop(): void;
    size(): { width: number; height: number };
    outputPicture(): Picture;
    inputPicture(): Picture;
  };
};

export const prompt = (text: string) => ({ prompts: [{ text, weight: 1 }] });

export class GuideDriver {
  readonly page: Page;
  constructor(page: Page) {
    this.page = page;
  }

  load(loadParams: object): Promise<{ model?: string }> {
    return this.page.evaluate((p) => (window as unknown as GuideWindow).Guide.load(p), loadParams);
  }
  start(initialParameters: object): Promise<string> {
    return this.page.evaluate((p) => {
      const { Guide, Scene } = window as unknown as GuideWindow;
      return Guide.start(Scene.stream(), p);
    }, initialParameters);
  }
  /** Uploads an image of two CSS colours; gives the path for `vace_ref_images`. */
  uploadPainting(name: string, ground: string, shapes: string): Promise<string> {
    return this.page.evaluate((args) => (window as unknown as GuideWindow).Guide.uploadPainting(...args), [
      name,
      ground,
      shapes,
    ] as const);
  }
  send(parameters: object): Promise<void> {
    return this.page.evaluate((p) => (window as unknown as GuideWindow).Guide.send(p), parameters);
  }
  sendText(text: string): Promise<void> {
    return this.page.evaluate((t) => (window as unknown as GuideWindow).Guide.sendText(t), text);
  }
  stop(): Promise<void> {
    return this.page.evaluate(() => (window as unknown as GuideWindow).Guide.stop());
  }
  setMoving(moving: boolean): Promise<void> {
    return this.page.evaluate((m) => (window as unknown as GuideWindow).Scene.setMoving(m), moving);
  }
  frames(): Promise<number> {
    return this.page.evaluate(() => (window as unknown as GuideWindow).Guide.state.frames);
  }
  /** Received pictures that differ from the one before them. */
  distinctFrames(): Promise<number> {
    return this.page.evaluate(() => (window as unknown as GuideWindow).Guide.state.distinct);
  }
  messages(type: string): Promise<unknown[]> {
    return this.page.evaluate(
      (t) => (window as unknown as GuideWindow).Guide.state.messages.filter((message) => message.type === t),
      type,
    );
  }
  size(): Promise<{ width: number; height: number }> {
    return this.page.evaluate(() => (window as unknown as GuideWindow).Guide.size());
  }
  picture(): Promise<Picture> {
    return this.page.evaluate(() => (window as unknown as GuideWindow).Guide.outputPicture());
  }
  input(): Promise<Picture> {
    return this.page.evaluate(() => (window as unknown as GuideWindow).Guide.inputPicture());
  }

  /** Waits until `count` more frames have arrived; throws when none comes for `silenceMs`. */
  waitFrames(count: number, silenceMs = 30_000): Promise<void> {
    return this.#waitFor(() => this.frames(), count, silenceMs);
  }

  /** The same for pictures that differ from the one before them: the scene must move. */
  waitDistinctFrames(count: number, silenceMs = 30_000): Promise<void> {
    return this.#waitFor(() => this.distinctFrames(), count, silenceMs);
  }

  async #waitFor(counter: () => Promise<number>, count: number, silenceMs: number): Promise<void> {
    const goal = (await counter()) + count;
    let last = 0;
    let since = Date.now();
    for (;;) {
      const now = await counter();
      if (now >= goal) return;
      if (now > last) {
        last = now;
        since = Date.now();
      }
      if (Date.now() - since > silenceMs) throw new Error(`No frame for ${silenceMs} ms after frame ${now}`);
      await this.page.waitForTimeout(200);
    }
  }

  /**
   * Sends parameters, lets what was under way before them pass (the chunk in the making, the one in the pacer and
   * the one being filled), and returns the mean of several received pictures.
   */
  async pictureWith(parameters: object, settleFrames = 48): Promise<Picture> {
    await this.send(parameters);
    await this.waitFrames(settleFrames);
    const pictures: Picture[] = [];
    for (let i = 0; i < 6; i++) {
      await this.waitFrames(2);
      pictures.push(await this.picture());
    }
    return meanPicture(pictures);
  }

  pictureOf(text: string, settleFrames?: number): Promise<Picture> {
    return this.pictureWith(prompt(text), settleFrames);
  }
}
