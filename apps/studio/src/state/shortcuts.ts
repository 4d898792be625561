// Keys and what they do: one table for the keyboard and for the cheat sheet.

export type Command =
  | "prompt"
  | "leave"
  | "pause"
  | "fullscreen"
  | "pip"
  | "popout"
  | "layout"
  | "inset"
  | "mirror"
  | "still"
  | "record"
  | "mode"
  | "less"
  | "more"
  | "seed"
  | "reset"
  | "play"
  | "add"
  | "next"
  | "previous"
  | "share"
  | "help";

export type Shortcut = {
  command: Command;
  /** As `KeyboardEvent.key` says it. */
  key: string;
  /** As it stands on the keyboard, where it differs. */
  shown?: string;
  text: string;
};

export type ShortcutGroup = { label: string; shortcuts: readonly Shortcut[] };

export const SHORTCUT_GROUPS: readonly ShortcutGroup[] = [
  {
    label: "Play",
    shortcuts: [
      { command: "prompt", key: "/", text: "Write a prompt" },
      { command: "next", key: "ArrowRight", shown: "→", text: "Next look" },
      { command: "previous", key: "ArrowLeft", shown: "←", text: "Look before" },
      { command: "less", key: "[", text: "Less of the prompt" },
      { command: "more", key: "]", text: "More of the prompt" },
      { command: "mode", key: "v", text: "Normal or VACE" },
      { command: "seed", key: "n", text: "New seed" },
      { command: "reset", key: "x", text: "Start anew" },
      { command: "pause", key: " ", shown: "Space", text: "Hold the picture" },
    ],
  },
  {
    label: "Stage",
    shortcuts: [
      { command: "fullscreen", key: "f", text: "Full screen" },
      { command: "layout", key: "l", text: "Next layout" },
      { command: "inset", key: "i", text: "Show the input" },
      { command: "mirror", key: "m", text: "Mirror" },
      { command: "pip", key: "p", text: "Picture in picture" },
      { command: "popout", key: "o", text: "Window for a projector" },
    ],
  },
  {
    label: "Keep",
    shortcuts: [
      { command: "still", key: "s", text: "Take a still" },
      { command: "record", key: "r", text: "Record" },
      { command: "play", key: "t", text: "Play the timeline" },
      { command: "add", key: "k", text: "Add to the timeline" },
      { command: "share", key: "c", text: "Copy a link" },
      { command: "leave", key: "Escape", shown: "Esc", text: "Leave a box or dialog" },
      { command: "help", key: "?", text: "This sheet" },
    ],
  },
];

const ALL = SHORTCUT_GROUPS.flatMap(({ shortcuts }) => shortcuts);

type Key = Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "altKey">;

/** The command of a key; none with a modifier, which belong to the browser. */
export function commandOf({ key, ctrlKey, metaKey, altKey }: Key): Command | undefined {
  if (ctrlKey || metaKey || altKey) return undefined;
  const pressed = key.length === 1 ? key.toLowerCase() : key;
  return ALL.find((shortcut) => shortcut.key === pressed)?.command;
}

/** The key of a command, for hints. */
export function keyOf(command: Command): string {
  const shortcut = ALL.find((one) => one.command === command);
  return (shortcut?.shown ?? shortcut?.key ?? "").toUpperCase();
}
