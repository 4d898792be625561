// The sample clip: a person at a desk who listens to music, drawn anew for each frame. Faces are what looks change most,
// and a page without a camera has none.

const WIDTH = 360;
const HEIGHT = 200;
const ZOOM = 1.22;
const FOCUS = { x: 181, y: 104 };

const SHAPES = {
  hair: "M134 96C126 48 150 26 181 26C214 26 236 50 227 98C224 108 220 112 217 114L143 114C139 110 136 104 134 96Z",
  fringe: "M140 86C140 52 160 38 182 38C206 38 221 54 221 84C208 80 198 70 192 60C182 76 160 84 140 86Z",
  gloss: "M152 66C158 52 172 45 186 46C176 50 166 57 160 68Z",
  shoulders: "M92 214C96 168 122 158 158 152L204 152C240 158 266 168 270 214Z",
  collar: "M158 152C162 168 200 168 204 152L196 150C192 160 170 160 166 150Z",
  neck: "M166 128H197V158C190 168 173 168 166 158Z",
  face: "M144 88C144 64 160 52 181 52C203 52 218 64 218 88C218 120 202 143 181 143C160 143 144 120 144 88Z",
  band: "M134 92C130 40 156 20 181 20C208 20 232 40 228 92L222 92C224 46 206 27 181 27C158 27 138 46 140 92Z",
  nose: "M181 100C180 106 177 110 178 112C180 114 183 114 185 113",
  leafLeft: "M303 100C300 78 284 68 270 66C272 84 286 98 303 100Z",
  leafRight: "M303 100C304 74 318 58 336 54C338 78 324 96 303 100Z",
  leafMiddle: "M303 100C296 80 298 58 306 42C316 60 314 82 303 100Z",
  pot: "M284 100H322L317 128H289Z",
};

type Shapes = Record<keyof typeof SHAPES, Path2D>;
let paths: Shapes | undefined;

/** Paints the clip as it is after `seconds`, in any size; what does not have its shape is cropped. */
export function paintClip(context: CanvasRenderingContext2D, seconds: number): void {
  paths ??= Object.fromEntries(Object.entries(SHAPES).map(([name, path]) => [name, new Path2D(path)])) as Shapes;
  const { width, height } = context.canvas;
  const scale = Math.max(width / WIDTH, height / HEIGHT);
  context.save();
  context.translate((width - WIDTH * scale) / 2, (height - HEIGHT * scale) / 2);
  context.scale(scale, scale);
  // Nearer: the face is what matters.
  context.translate(-FOCUS.x * (ZOOM - 1), -FOCUS.y * (ZOOM - 1));
  context.scale(ZOOM, ZOOM);
  room(context, paths, seconds);
  person(context, paths, seconds);
  context.restore();
}

function room(context: CanvasRenderingContext2D, shapes: Shapes, seconds: number): void {
  const wall = context.createLinearGradient(0, 0, WIDTH, HEIGHT);
  wall.addColorStop(0, "#e2c193");
  wall.addColorStop(1, "#7d5f6a");
  context.fillStyle = wall;
  context.fillRect(0, 0, WIDTH, HEIGHT);
  // A window through which clouds go by.
  context.fillStyle = "#7fb4d8";
  context.fillRect(28, 22, 92, 92);
  context.save();
  context.beginPath();
  context.rect(28, 22, 92, 92);
  context.clip();
  context.fillStyle = "#f3d9a4";
  disc(context, 92, 54 + 4 * Math.sin(seconds / 4), 15);
  context.fillStyle = "#eef4f6";
  for (let i = 0; i < 3; i++) {
    const x = ((seconds * (7 + i * 3) + i * 61) % 150) + 4;
    for (let j = 0; j < 3; j++) disc(context, x + j * 9, 44 + i * 24 - (j === 1 ? 5 : 0), 8);
  }
  context.fillStyle = "#4f7f5a";
  disc(context, 40, 140, 44);
  disc(context, 108, 146, 46);
  context.restore();
  context.strokeStyle = "#5a3a2c";
  context.lineWidth = 4;
  context.strokeRect(28, 22, 92, 92);
  context.strokeRect(74, 22, 0.1, 92);
  context.fillStyle = "#6e4a38";
  context.fillRect(236, 128, 136, 8);
  context.fillStyle = "#b4573c";
  context.fill(shapes.pot);
  context.fillStyle = "#4f7d4a";
  for (const [i, leaf] of [shapes.leafLeft, shapes.leafRight, shapes.leafMiddle].entries()) {
    context.save();
    turn(context, 303, 100, 0.07 * Math.sin(seconds * 1.3 + i * 2));
    context.fill(leaf);
    context.restore();
  }
}

function person(context: CanvasRenderingContext2D, shapes: Shapes, seconds: number): void {
  const beat = Math.sin(seconds * 4.2);
  context.save();
  context.translate(9 * Math.sin(seconds * 0.7), 1.5 * beat);
  context.fillStyle = "#2b6675";
  context.fill(shapes.shoulders);
  context.fillStyle = "#c08060";
  context.fill(shapes.neck);
  context.fillStyle = "#1f4c58";
  context.fill(shapes.collar);
  turn(context, 181, 150, 0.09 * Math.sin(seconds * 0.9) + 0.03 * beat);
  const glance = 2.4 * Math.sin(seconds * 0.9);
  context.fillStyle = "#3a241c";
  context.fill(shapes.hair);
  const skin = context.createRadialGradient(168, 84, 10, 181, 96, 60);
  skin.addColorStop(0, "#f2c29d");
  skin.addColorStop(1, "#d8966c");
  context.fillStyle = skin;
  context.fill(shapes.face);
  context.fillStyle = "#3a241c";
  context.fill(shapes.fringe);
  context.fillStyle = "#6a4433";
  context.fill(shapes.gloss);
  context.fillStyle = "#e9534a";
  context.fill(shapes.band);
  context.fillRect(129, 84, 15, 30);
  context.fillRect(218, 84, 15, 30);
  const isBlinking = seconds % 3.7 < 0.13;
  for (const x of [166, 197]) {
    context.fillStyle = "#fbf6ee";
    ellipse(context, x, 97, 7, isBlinking ? 0.6 : 5.4);
    context.fillStyle = "#2a1913";
    ellipse(context, x + glance, 97, 3.6, isBlinking ? 0.6 : 4.2);
  }
  context.lineCap = "round";
  context.strokeStyle = "#3a241c";
  context.lineWidth = 3;
  arch(context, 165, 86 + beat);
  arch(context, 198, 86 + beat);
  context.strokeStyle = "#bb7a55";
  context.lineWidth = 2.2;
  context.stroke(shapes.nose);
  const smile = 3.5 + 2 * Math.max(0, Math.sin(seconds * 2.3));
  context.fillStyle = "#a8443f";
  context.beginPath();
  context.moveTo(168, 121);
  context.quadraticCurveTo(182, 124, 195, 120);
  context.quadraticCurveTo(182, 124 + 2.6 * smile, 168, 121);
  context.fill();
  context.restore();
}

/** An eyebrow. */
function arch(context: CanvasRenderingContext2D, x: number, y: number): void {
  context.beginPath();
  context.moveTo(x - 7.5, y + 0.5);
  context.quadraticCurveTo(x, y - 4, x + 7.5, y + 0.5);
  context.stroke();
}

function disc(context: CanvasRenderingContext2D, x: number, y: number, radius: number): void {
  ellipse(context, x, y, radius, radius);
}

function ellipse(context: CanvasRenderingContext2D, x: number, y: number, rx: number, ry: number): void {
  context.beginPath();
  context.ellipse(x, y, rx, ry, 0, 0, 2 * Math.PI);
  context.fill();
}

function turn(context: CanvasRenderingContext2D, x: number, y: number, angle: number): void {
  context.translate(x, y);
  context.rotate(angle);
  context.translate(-x, -y);
}
