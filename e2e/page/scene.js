// The test picture: a colourful room with a figure, objects, text and stripes, drawn on a canvas, moving or still.
// Loaded into the page under test; `Scene.stream()` is a stand-in for a camera.

const Scene = (() => {
  const canvas = document.createElement("canvas");
  canvas.width = 576;
  canvas.height = 320;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  let moving = true;
  let time = 0;

  function ellipse(colour, x, y, rx, ry) {
    context.fillStyle = colour;
    context.beginPath();
    context.ellipse(x, y, rx, ry, 0, 0, 2 * Math.PI);
    context.fill();
  }

  function draw() {
    if (moving) time += 1 / 30;
    const sway = Math.sin(time * 1.7);
    const wall = context.createLinearGradient(0, 0, 576, 320);
    wall.addColorStop(0, "#2f7fd6");
    wall.addColorStop(0.55, "#e8b04a");
    wall.addColorStop(1, "#c43d6b");
    context.fillStyle = wall;
    context.fillRect(0, 0, 576, 320);
    context.fillStyle = "#f4efe2";
    context.fillRect(40, 36, 120, 90);
    context.fillStyle = "#1f9d55";
    context.fillRect(52, 48, 96, 66);
    for (let i = 0; i < 6; i++) {
      context.fillStyle = i % 2 ? "#10204a" : "#f0d020";
      context.fillRect(420 + i * 24, 210, 24, 90);
    }
    ellipse("#d62828", 470 + 30 * sway, 110 + 24 * Math.cos(time * 1.3), 44, 44);
    ellipse("#ffffff", 456 + 30 * sway, 96 + 24 * Math.cos(time * 1.3), 10, 10);
    // A figure: shirt, neck, face, hair, eyes, mouth.
    const x = 288 + 26 * sway;
    ellipse("#3a2ab0", x, 318, 96, 90);
    ellipse("#d9a07a", x, 216, 22, 34);
    ellipse("#3d2314", x, 140, 60, 70);
    ellipse("#e0ac86", x, 152, 50, 62);
    ellipse("#ffffff", x - 20, 142, 11, 7);
    ellipse("#ffffff", x + 20, 142, 11, 7);
    ellipse("#14202a", x - 20, 142, 5, 6);
    ellipse("#14202a", x + 20, 142, 5, 6);
    ellipse("#a53a3a", x, 186, 18, 6);
    context.fillStyle = "#101010";
    context.font = "bold 40px sans-serif";
    context.fillText("EVER", 44, 220);
    context.fillStyle = "#fafafa";
    context.fillText("FRAME", 44, 262);
  }

  setInterval(draw, 33);
  draw();
  return {
    canvas,
    stream: () => canvas.captureStream(30),
    setMoving: (value) => {
      moving = value;
    },
  };
})();
window.Scene = Scene;
