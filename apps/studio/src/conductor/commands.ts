// What each key does.
import { LAYOUTS } from "../state/settings.ts";
import type { Command } from "../state/shortcuts.ts";
import type { Studio } from "./studio.ts";

const ACTIONS: Record<Command, (studio: Studio) => void> = {
  prompt: () => {
    const prompt = document.querySelector<HTMLInputElement>("#prompt");
    // Not every browser moves the focus to what is selected.
    prompt?.focus();
    prompt?.select();
  },
  // Escape is the browser's and the dialogs' own; it stands here for the cheat sheet.
  leave: () => {},
  pause: ({ stream, store }) => stream.setPaused(!store.get().isPaused),
  fullscreen: ({ screens }) => screens.toggleFullscreen(),
  pip: ({ screens }) => screens.togglePictureInPicture(),
  popout: ({ screens }) => screens.popOut(),
  layout: (studio) => {
    const { layout } = studio.store.get().settings.view;
    studio.setView({ layout: LAYOUTS[(LAYOUTS.indexOf(layout) + 1) % LAYOUTS.length] ?? "output" });
  },
  inset: (studio) => studio.setView({ inset: !studio.store.get().settings.view.inset }),
  mirror: (studio) => studio.setView({ mirror: !studio.store.get().settings.view.mirror }),
  still: (studio) => void studio.takeStill(),
  record: (studio) => studio.toggleRecording(),
  mode: (studio) => studio.patchLook({ mode: studio.store.get().settings.look.mode === "vace" ? "normal" : "vace" }),
  less: (studio) => studio.nudge(-1),
  more: (studio) => studio.nudge(1),
  seed: (studio) => studio.newSeed(),
  reset: (studio) => studio.resetCache(),
  play: (studio) => {
    studio.setView({ timeline: true });
    if (studio.store.get().isPlaying) studio.timeline.pause();
    else studio.timeline.play();
  },
  add: (studio) => {
    studio.setView({ timeline: true });
    studio.timeline.add();
  },
  next: (studio) => studio.stepLook(1),
  previous: (studio) => studio.stepLook(-1),
  share: (studio) => void studio.share(),
  help: ({ store }) => store.update({ dialog: store.get().dialog === "shortcuts" ? undefined : "shortcuts" }),
};

/** Does what a key stands for. */
export function runCommand(studio: Studio, command: Command): void {
  ACTIONS[command](studio);
}
