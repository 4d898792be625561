// The looks that longlive-tiny has learnt, by the first of the words that it knows for each (its model card lists them);
// larger models understand the same words.

export type Preset = { id: string; label: string; prompt: string };
export type PresetGroup = { label: string; presets: readonly Preset[] };

const preset = (id: string, label: string, prompt = label.toLowerCase()): Preset => ({ id, label, prompt });

export const PRESET_GROUPS: readonly PresetGroup[] = [
  {
    label: "Light and film",
    presets: [
      preset("photo", "Photo"),
      preset("bw", "Black and white"),
      preset("sepia", "Sepia"),
      preset("sunset", "Warm sunset"),
      preset("ice", "Icy blue"),
      preset("night", "Night vision"),
      preset("thermal", "Thermal camera"),
      preset("faded", "Faded film"),
      preset("dramatic", "High contrast"),
      preset("xray", "X-ray"),
    ],
  },
  {
    label: "Drawn and made",
    presets: [
      preset("sketch", "Pencil sketch"),
      preset("charcoal", "Charcoal"),
      preset("comic", "Ink comic"),
      preset("blueprint", "Blueprint"),
      preset("watercolour", "Watercolour"),
      preset("oil", "Oil painting"),
      preset("anime", "Anime"),
      preset("pixel", "Pixel art"),
      preset("glass", "Stained glass"),
      preset("mosaic", "Mosaic"),
      preset("lowpoly", "Low poly"),
      preset("woodcut", "Woodcut"),
      preset("knit", "Knitted wool"),
      preset("chalk", "Chalkboard"),
    ],
  },
  {
    label: "Worlds",
    presets: [
      preset("neon", "Cyberpunk neon"),
      preset("gold", "Gold"),
      preset("underwater", "Underwater"),
      preset("autumn", "Autumn"),
      preset("hologram", "Hologram"),
      preset("fire", "Fire and ember"),
      preset("galaxy", "Galaxy"),
      preset("vapor", "Vaporwave"),
      preset("porcelain", "Porcelain"),
    ],
  },
];

export const PRESETS: readonly Preset[] = PRESET_GROUPS.flatMap(({ presets }) => presets);

/** The preset that a prompt is, if any. */
export function presetOf(prompt: string): Preset | undefined {
  const text = prompt.trim().toLowerCase();
  return PRESETS.find((one) => one.prompt === text);
}
