// A picture that moves, painted from nothing: sun, hills in three depths, a walker with a balloon. For pages without a camera,
// and colourful enough that every look shows on it.

/** Paints the scene as it is after `seconds`, in any size. */
export function paintScene(context: CanvasRenderingContext2D, seconds: number): void {
  const { width, height } = context.canvas;
  context.save();
  context.scale(width / 160, height / 90);
  const sky = context.createLinearGradient(0, 0, 0, 70);
  sky.addColorStop(0, "#3f7fd0");
  sky.addColorStop(1, "#fbd38a");
  context.fillStyle = sky;
  context.fillRect(0, 0, 160, 90);
  disc(context, "#ffe9a8", 118 + 10 * Math.sin(seconds / 5), 22 + 4 * Math.cos(seconds / 5), 9);
  for (const [i, colour] of ["#8a7fb8", "#4f8f6b", "#2f6b3a"].entries()) {
    hills(context, colour, 52 + i * 11, 9 - i * 2, seconds * (3 + 5 * i));
  }
  for (let i = 0; i < 5; i++) tree(context, mod(i * 40 - seconds * 13, 200) - 20, 78 + (i % 2) * 4);
  walker(context, 80 + 22 * Math.sin(seconds / 3), seconds);
  context.restore();
}

function hills(context: CanvasRenderingContext2D, colour: string, y: number, rise: number, shift: number): void {
  context.fillStyle = colour;
  context.beginPath();
  context.moveTo(0, 90);
  for (let x = 0; x <= 160; x += 4) {
    context.lineTo(x, y - rise * (Math.sin((x + shift) / 17) + 0.6 * Math.sin((x + shift) / 7.3)));
  }
  context.lineTo(160, 90);
  context.fill();
}

function tree(context: CanvasRenderingContext2D, x: number, y: number): void {
  context.fillStyle = "#5b3a21";
  context.fillRect(x - 1, y - 8, 2, 9);
  disc(context, "#c8553d", x, y - 12, 6);
  disc(context, "#e08e45", x + 2, y - 14, 3);
}

function walker(context: CanvasRenderingContext2D, x: number, seconds: number): void {
  const step = Math.sin(seconds * 6);
  const y = 62 - Math.abs(step);
  line(context, "#22304f", 4, [x, y + 10], [x + 5 * step, y + 22]);
  line(context, "#22304f", 4, [x, y + 10], [x - 5 * step, y + 22]);
  line(context, "#d43d51", 9, [x, y], [x, y + 9]);
  line(context, "#d43d51", 3, [x, y], [x - 8, y + 6 + 2 * step]);
  line(context, "#d43d51", 3, [x, y], [x + 9, y - 6]);
  disc(context, "#e8b48c", x, y - 9, 6);
  disc(context, "#3a2416", x, y - 12, 5);
  disc(context, "#e8b48c", x, y - 8, 4.5);
  const sway = 3 * Math.sin(seconds * 1.3);
  line(context, "#f7f3ea", 0.6, [x + 9, y - 6], [x + 14 + sway, y - 27]);
  disc(context, "#1fb5a8", x + 14 + sway, y - 33, 7);
  disc(context, "#b6f0e8", x + 12 + sway, y - 35, 2);
}

function disc(context: CanvasRenderingContext2D, colour: string, x: number, y: number, radius: number): void {
  context.fillStyle = colour;
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.fill();
}

type Point = readonly [number, number];

function line(context: CanvasRenderingContext2D, colour: string, width: number, from: Point, to: Point): void {
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.lineCap = "round";
  context.beginPath();
  context.moveTo(...from);
  context.lineTo(...to);
  context.stroke();
}

function mod(x: number, n: number): number {
  return ((x % n) + n) % n;
}
