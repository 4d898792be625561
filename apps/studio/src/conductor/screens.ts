// Other places for the picture than its place on the page: the whole screen, a small window over everything, a window for a
// projector or for recording software.
import type { State } from "../state/state.ts";
import type { Store } from "../state/store.ts";

/** The elements of the stage; undefined while they are not on the page. */
export type StageElements = {
  video: HTMLVideoElement | undefined;
  inputVideo: HTMLVideoElement | undefined;
  frame: HTMLElement | undefined;
};

export class Screens {
  readonly #store: Store<State>;
  readonly #stage: StageElements;
  readonly #say: (remark: string) => void;
  #popout: Window | undefined;
  #unfollow = (): void => {};

  constructor(store: Store<State>, stage: StageElements, say: (remark: string) => void) {
    this.#store = store;
    this.#stage = stage;
    this.#say = say;
  }

  toggleFullscreen(): void {
    const { frame } = this.#stage;
    const change = document.fullscreenElement === null ? frame?.requestFullscreen?.() : document.exitFullscreen();
    change?.catch(() => this.#say("The browser did not change to full screen."));
  }

  togglePictureInPicture(): void {
    const { video } = this.#stage;
    if (video === undefined || !document.pictureInPictureEnabled) {
      this.#say("This browser has no picture in picture here.");
      return;
    }
    const isOut = document.pictureInPictureElement !== null;
    const change: Promise<unknown> = isOut ? document.exitPictureInPicture() : video.requestPictureInPicture();
    change.catch(() => this.#say("The browser did not open picture in picture."));
  }

  /** Opens a window with the output alone; a double click there makes it fill the screen. */
  popOut(): void {
    const { output, settings, source } = this.#store.get();
    if (output === undefined) return;
    this.close();
    const popup = window.open("", "everframe-output", "popup,width=960,height=540");
    if (popup === null) {
      this.#say("The browser blocked the window; allow pop-ups for this page.");
      return;
    }
    this.#popout = popup;
    popup.document.title = "Everframe output";
    Object.assign(popup.document.body.style, { margin: "0", background: "#000", overflow: "hidden" });
    const video = popup.document.createElement("video");
    video.muted = true;
    video.autoplay = true;
    video.playsInline = true;
    const isMirrored = settings.view.mirror && source?.kind === "camera";
    Object.assign(video.style, {
      width: "100vw",
      height: "100vh",
      objectFit: "contain",
      transform: isMirrored ? "scaleX(-1)" : "",
    });
    video.ondblclick = () => void video.requestFullscreen();
    popup.document.body.replaceChildren(video);
    video.srcObject = output;
    this.#unfollow = this.#store.watch(
      (state) => state.output,
      (stream) => {
        video.srcObject = stream ?? null;
      },
    );
  }

  close(): void {
    this.#unfollow();
    this.#unfollow = () => {};
    this.#popout?.close();
    this.#popout = undefined;
  }
}
