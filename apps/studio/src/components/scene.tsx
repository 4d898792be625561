// One small picture, a person at a desk, drawn in several styles. Cut into bands it stands
// on the first screen, so that the page shows what it does without a word or a download.
import { useId } from "react";

/** The styles that it is drawn in. */
export type StyleName = "photo" | "bw" | "sepia" | "pencil" | "neon" | "thermal" | "oil" | "anime";

type Palette = {
  wall: [string, string];
  sun: string;
  shelf: string;
  pot: string;
  leaf: string;
  shirt: string;
  fold: string;
  skin: [string, string];
  shade: string;
  hair: string;
  gloss: string;
  cups: string;
  ink: string;
  lips: string;
  /** Outline of every shape; none where undefined. */
  line?: { colour: string; width: number };
};

const NATURAL: Palette = {
  wall: ["#d9b991", "#8b6a55"],
  sun: "#f6dfb4",
  shelf: "#6e4a38",
  pot: "#b4573c",
  leaf: "#5f7d4f",
  shirt: "#2f5d6b",
  fold: "#244a56",
  skin: ["#f0bf9a", "#d8976f"],
  shade: "#c07f5b",
  hair: "#3a241c",
  gloss: "#5d3b2c",
  cups: "#e9e2d6",
  ink: "#2a1913",
  lips: "#b4564c",
};

const PALETTES: Record<StyleName, Palette> = {
  photo: NATURAL,
  bw: {
    wall: ["#c9c9c9", "#6c6c6c"],
    sun: "#ececec",
    shelf: "#484848",
    pot: "#757575",
    leaf: "#636363",
    shirt: "#4c4c4c",
    fold: "#3b3b3b",
    skin: ["#d6d6d6", "#aeaeae"],
    shade: "#959595",
    hair: "#222222",
    gloss: "#464646",
    cups: "#ededed",
    ink: "#161616",
    lips: "#777777",
  },
  sepia: {
    wall: ["#e5cb9d", "#8a663a"],
    sun: "#f8e8c6",
    shelf: "#5a3d1e",
    pot: "#8d6435",
    leaf: "#7a5a31",
    shirt: "#6a4a25",
    fold: "#533a1c",
    skin: ["#eed3a6", "#cba26b"],
    shade: "#b0864f",
    hair: "#35220f",
    gloss: "#5e4223",
    cups: "#f4e5c6",
    ink: "#2a1a0b",
    lips: "#8f6534",
  },
  pencil: {
    wall: ["#f6f3ec", "#e4dfd4"],
    sun: "#fbf9f4",
    shelf: "#d3cdc1",
    pot: "#ddd8cd",
    leaf: "#cfcabf",
    shirt: "#d9d4c9",
    fold: "#c3bdb0",
    skin: ["#faf7f1", "#efeae0"],
    shade: "#d8d2c6",
    hair: "#8d877c",
    gloss: "#b8b2a6",
    cups: "#f4f1ea",
    ink: "#3b3833",
    lips: "#a49e92",
    line: { colour: "#4a463f", width: 1.6 },
  },
  neon: {
    wall: ["#2a0f57", "#0c0524"],
    sun: "#3a1172",
    shelf: "#1a0a3c",
    pot: "#230d4d",
    leaf: "#1b0b40",
    shirt: "#1d0b45",
    fold: "#140733",
    skin: ["#4a1a7a", "#2b0f58"],
    shade: "#3b1468",
    hair: "#0a0420",
    gloss: "#1d0a44",
    cups: "#2c1060",
    ink: "#5ff2ff",
    lips: "#ff4fd8",
    line: { colour: "#ff4fd8", width: 1.8 },
  },
  thermal: {
    wall: ["#3b0f70", "#0b0724"],
    sun: "#7a1d6d",
    shelf: "#150b37",
    pot: "#2c115f",
    leaf: "#451077",
    shirt: "#c53b53",
    fold: "#a52c60",
    skin: ["#fcf7b9", "#fb9a3c"],
    shade: "#f8765c",
    hair: "#8c2369",
    gloss: "#b5367a",
    cups: "#3b0f70",
    ink: "#fcfdbf",
    lips: "#fee08b",
  },
  oil: {
    wall: ["#e0a95e", "#6d4138"],
    sun: "#f9d580",
    shelf: "#5b2f2a",
    pot: "#c14d2c",
    leaf: "#4f7a3a",
    shirt: "#1f5f74",
    fold: "#153f52",
    skin: ["#f3b583", "#cf7b4c"],
    shade: "#a95633",
    hair: "#2c1712",
    gloss: "#7a4426",
    cups: "#f0dfc0",
    ink: "#24110c",
    lips: "#b53f37",
  },
  anime: {
    wall: ["#9be1ff", "#ffd1ec"],
    sun: "#fff6c9",
    shelf: "#c98f6a",
    pot: "#ff8a5c",
    leaf: "#53c46a",
    shirt: "#ff5d73",
    fold: "#e0435e",
    skin: ["#ffe3cf", "#ffd0b3"],
    shade: "#ffb795",
    hair: "#5b3fb5",
    gloss: "#8f74ea",
    cups: "#ffffff",
    ink: "#2b1b4d",
    lips: "#f0617a",
    line: { colour: "#2b1b4d", width: 2 },
  },
};

/** The drawing as an SVG group of 360 x 200 units. */
export function Scene({ style }: { style: StyleName }) {
  const id = useId();
  const p = PALETTES[style];
  const outline = p.line ? { stroke: p.line.colour, strokeWidth: p.line.width, strokeLinejoin: "round" as const } : {};
  const glow = style === "neon";
  return (
    <g filter={style === "oil" ? `url(#${id}oil)` : undefined}>
      <defs>
        <linearGradient id={`${id}wall`} x1="0" y1="0" x2="1" y2="1">
          <stop offset="0" stopColor={p.wall[0]} />
          <stop offset="1" stopColor={p.wall[1]} />
        </linearGradient>
        <radialGradient id={`${id}skin`} cx="0.42" cy="0.42" r="0.75">
          <stop offset="0.2" stopColor={p.skin[0]} />
          <stop offset="1" stopColor={p.skin[1]} />
        </radialGradient>
        {style === "oil" && (
          <filter id={`${id}oil`} x="0" y="0" width="100%" height="100%">
            <feTurbulence type="fractalNoise" baseFrequency="0.05" numOctaves="1" seed="8" />
            <feDisplacementMap in="SourceGraphic" scale="11" xChannelSelector="R" yChannelSelector="G" />
          </filter>
        )}
        {style === "pencil" && (
          <pattern id={`${id}hatch`} width="5" height="5" patternTransform="rotate(38)" patternUnits="userSpaceOnUse">
            <path d="M0 0V5" stroke="#4a463f" strokeWidth="0.9" opacity="0.55" />
          </pattern>
        )}
      </defs>
      <rect x="-10" y="-10" width="380" height="220" fill={`url(#${id}wall)`} />
      <g {...outline}>
        <circle cx="92" cy="66" r="38" fill={p.sun} />
        <path d="M236 128H372V136H236Z" fill={p.shelf} />
        <path d="M284 100H322L317 128H289Z" fill={p.pot} />
        <path d="M303 100C300 78 284 68 270 66C272 84 286 98 303 100Z" fill={p.leaf} />
        <path d="M303 100C304 74 318 58 336 54C338 78 324 96 303 100Z" fill={p.leaf} />
        <path d="M303 100C296 80 298 58 306 42C316 60 314 82 303 100Z" fill={p.leaf} />
      </g>
      <Person p={p} skin={`url(#${id}skin)`} outline={outline} big={style === "anime"} />
      {style === "pencil" && <path d={HATCHED} fill={`url(#${id}hatch)`} />}
      {glow && (
        <g fill="none" strokeLinecap="round">
          <path d={OUTLINES} stroke="#ff4fd8" strokeWidth="7" opacity="0.22" />
          <path d={OUTLINES} stroke="#5ff2ff" strokeWidth="1.6" />
          <circle cx="92" cy="66" r="38" stroke="#5ff2ff" strokeWidth="6" opacity="0.2" />
        </g>
      )}
    </g>
  );
}

const HAIR =
  "M134 96C126 48 150 26 181 26C214 26 236 50 227 98C224 108 220 112 217 114L143 114C139 110 136 104 134 96Z";
const FRINGE = "M140 86C140 52 160 38 182 38C206 38 221 54 221 84C208 80 198 70 192 60C182 76 160 84 140 86Z";
const SHOULDERS = "M92 204C96 168 122 158 158 152L204 152C240 158 266 168 270 204Z";
const HATCHED = `${FRINGE} M92 204C96 168 122 158 140 155L128 204Z M270 204C266 168 240 158 224 155L236 204Z M256 136H360V142H256Z`;
const OUTLINES =
  "M92 204C96 168 122 158 158 152 M204 152C240 158 266 168 270 204 M138 90C136 48 156 32 181 32C208 32 226 50 223 90 M146 92C146 122 162 142 181 142C200 142 216 122 216 92";

type PersonProps = {
  p: Palette;
  skin: string;
  outline: { stroke?: string; strokeWidth?: number };
  /** Large eyes. */
  big: boolean;
};

function Person({ p, skin, outline, big }: PersonProps) {
  const eye = big ? { rx: 6.2, ry: 8 } : { rx: 3.6, ry: 3.9 };
  return (
    <g {...outline}>
      <path d={HAIR} fill={p.hair} />
      <path d="M166 128H197V158C190 168 173 168 166 158Z" fill={p.shade} />
      <path d={SHOULDERS} fill={p.shirt} />
      <path d="M158 152C162 168 200 168 204 152L196 150C192 160 170 160 166 150Z" fill={p.fold} />
      <path d="M122 204C124 192 128 184 134 178C136 188 136 196 135 204Z" fill={p.fold} stroke="none" />
      <path d="M240 204C238 192 234 184 228 178C226 188 226 196 227 204Z" fill={p.fold} stroke="none" />
      <path
        d="M144 88C144 64 160 52 181 52C203 52 218 64 218 88C218 120 202 143 181 143C160 143 144 120 144 88Z"
        fill={skin}
      />
      <path d={FRINGE} fill={p.hair} />
      <path d="M152 66C158 52 172 45 186 46C176 50 166 57 160 68Z" fill={p.gloss} stroke="none" />
      <path
        d="M134 92C130 40 156 20 181 20C208 20 232 40 228 92L222 92C224 46 206 27 181 27C158 27 138 46 140 92Z"
        fill={p.cups}
      />
      <rect x="129" y="84" width="15" height="30" rx="7" fill={p.cups} />
      <rect x="218" y="84" width="15" height="30" rx="7" fill={p.cups} />
      <g stroke="none">
        <ellipse cx="166" cy="96" {...eye} fill={p.ink} />
        <ellipse cx="197" cy="96" {...eye} fill={p.ink} />
        {big && (
          <g fill="#ffffff">
            <circle cx="168.4" cy="92.4" r="2.3" />
            <circle cx="199.4" cy="92.4" r="2.3" />
          </g>
        )}
        <path d="M158 84C162 81 168 81 172 83L171.4 85.6C167 84 162.6 84.4 158.8 86.600Z" fill={p.hair} />
        <path d="M205 84C201 81 195 81 191 83L191.6 85.600C196 84 200.4 84.4 204.2 86.600Z" fill={p.hair} />
      </g>
      <g fill="none" strokeLinecap="round">
        <path d="M181 100C180 106 177 110 178 112C180 114 183 114 185 113" stroke={p.shade} strokeWidth="2" />
        <path d="M170 123C176 128.5 188 128.5 194 122" stroke={p.lips} strokeWidth="2.6" />
      </g>
    </g>
  );
}
