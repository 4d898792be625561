// Draws a frame counter into the test scene and reads it back from the received picture.
// The counter is a Gray code of 10 bits in a strip of blocks along the top: a picture between two counts reads as one of them.
// Needs scene.js and guide-client.js in the page.

const Counter = (() => {
  const BITS = 10;
  const CELLS = BITS + 2; // a black and a white block first, as references
  const canvas = document.createElement("canvas");
  canvas.width = 576;
  canvas.height = 320;
  const context = canvas.getContext("2d");
  const drawnAt = new Array(1 << BITS).fill(0);
  const latencies = [];
  const seen = new Set();
  let count = 0;

  setInterval(() => {
    count = (count + 1) % (1 << BITS);
    context.drawImage(window.Scene.canvas, 0, 0);
    const gray = count ^ (count >> 1);
    const cell = canvas.width / CELLS;
    for (let i = 0; i < CELLS; i++) {
      const white = i === 1 || (i >= 2 && (gray >> (i - 2)) & 1);
      context.fillStyle = white ? "#fff" : "#000";
      context.fillRect(i * cell, 0, cell, 48);
    }
    drawnAt[count] = performance.now();
  }, 33);

  function read(video) {
    const probe = document.createElement("canvas");
    probe.width = CELLS;
    probe.height = 1;
    const pen = probe.getContext("2d");
    const { videoWidth: width, videoHeight: height } = video;
    for (let i = 0; i < CELLS; i++) {
      pen.drawImage(
        video,
        ((i + 0.3) * width) / CELLS,
        0.04 * height,
        (0.4 * width) / CELLS,
        0.07 * height,
        i,
        0,
        1,
        1,
      );
    }
    const { data } = pen.getImageData(0, 0, CELLS, 1);
    const level = (i) => data[4 * i] + data[4 * i + 1] + data[4 * i + 2];
    const threshold = (level(0) + level(1)) / 2;
    if (level(1) - level(0) < 150) return undefined;
    let gray = 0;
    for (let i = 2; i < CELLS; i++) if (level(i) > threshold) gray |= 1 << (i - 2);
    let value = gray;
    for (let shift = 1; shift < BITS; shift <<= 1) value ^= value >> shift;
    return value;
  }

  function watch(video) {
    const onFrame = () => {
      const value = read(video);
      if (value !== undefined && drawnAt[value] > 0) {
        const latency = performance.now() - drawnAt[value];
        if (latency < 15_000) latencies.push(latency);
        seen.add(value);
      }
      video.requestVideoFrameCallback(onFrame);
    };
    video.requestVideoFrameCallback(onFrame);
  }

  return { stream: () => canvas.captureStream(30), watch, latencies, distinct: () => seen.size };
})();
window.Counter = Counter;
