// Prompts to begin with: the styles that the small model was trained on.

/** Name of a style, also of its drawing. */
export type StyleName = "photo" | "bw" | "sepia" | "pencil" | "neon" | "thermal" | "oil" | "anime";

export type Preset = { style: StyleName; label: string; prompt: string };

export const PRESETS: readonly Preset[] = [
  { style: "photo", label: "Photo", prompt: "photo" },
  { style: "bw", label: "Black and white", prompt: "black and white" },
  { style: "sepia", label: "Sepia", prompt: "sepia" },
  { style: "pencil", label: "Pencil sketch", prompt: "pencil sketch" },
  { style: "neon", label: "Cyberpunk neon", prompt: "cyberpunk neon" },
  { style: "thermal", label: "Thermal camera", prompt: "thermal camera" },
  { style: "oil", label: "Oil painting", prompt: "oil painting" },
  { style: "anime", label: "Anime", prompt: "anime" },
];

/** The preset that a prompt is, if any. */
export function presetOf(prompt: string): Preset | undefined {
  const text = prompt.trim().toLowerCase();
  return PRESETS.find((preset) => preset.prompt === text);
}
