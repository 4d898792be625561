// The pictures of a stream, one by one, onto a canvas that outlives the stream's tracks: a connection that is made again
// brings other tracks, and a recorder of the tracks themselves would end with them. Chromium hands over the frames of a track
// (https://w3c.github.io/mediacapture-transform/), also while its window is covered; elsewhere a video element shows them.

type FrameProcessor = { readable: ReadableStream<VideoFrame> };
type FrameProcessorClass = new (init: { track: MediaStreamTrack }) => FrameProcessor;

/** How often it looks whether the stream has another track: scripts that replace tracks are told by no event. */
const LOOK_MS = 250;

/** Draws each picture until the function that it returns is called. `onFirst` is called when the canvas has its size. */
export function drawFrames(stream: MediaStream, canvas: HTMLCanvasElement, onFirst: () => void): () => void {
  const Processor = (globalThis as { MediaStreamTrackProcessor?: FrameProcessorClass }).MediaStreamTrackProcessor;
  const context = canvas.getContext("2d", { alpha: false });
  const stop = new AbortController();
  let hasSize = false;

  const draw = (picture: VideoFrame | HTMLVideoElement, width: number, height: number) => {
    if (context === null || width === 0 || stop.signal.aborted) return;
    if (!hasSize) Object.assign(canvas, { width, height });
    // A file has one size: what comes in another one later is fitted in.
    const scale = Math.min(canvas.width / width, canvas.height / height);
    const [w, h] = [width * scale, height * scale];
    if (w < canvas.width || h < canvas.height) context.fillRect(0, 0, canvas.width, canvas.height);
    context.drawImage(picture, (canvas.width - w) / 2, (canvas.height - h) / 2, w, h);
    if (hasSize) return;
    hasSize = true;
    onFirst();
  };

  if (Processor === undefined) showFrames(stream, stop.signal, draw);
  else followTrack(stream, stop.signal, (track) => readFrames(new Processor({ track }), stop.signal, draw));
  return () => stop.abort();
}

type Draw = (picture: VideoFrame | HTMLVideoElement, width: number, height: number) => void;

/** Calls back with the stream's track now and whenever it is another one. */
function followTrack(stream: MediaStream, signal: AbortSignal, begin: (track: MediaStreamTrack) => void): void {
  let current: MediaStreamTrack | undefined;
  const look = () => {
    const [track] = stream.getVideoTracks();
    if (track === undefined || track === current) return;
    current = track;
    begin(track);
  };
  look();
  const timer = setInterval(look, LOOK_MS);
  signal.addEventListener("abort", () => clearInterval(timer));
}

function readFrames({ readable }: FrameProcessor, signal: AbortSignal, draw: Draw): void {
  const sink = new WritableStream<VideoFrame>({
    write(frame) {
      draw(frame, frame.displayWidth, frame.displayHeight);
      frame.close();
    },
  });
  readable.pipeTo(sink, { signal }).catch((error: unknown) => {
    if (!signal.aborted) console.warn("A track's pictures could not be read.", error);
  });
}

function showFrames(stream: MediaStream, signal: AbortSignal, draw: Draw): void {
  const video = Object.assign(document.createElement("video"), { muted: true, playsInline: true });
  video.srcObject = stream;
  const next = () => {
    if (signal.aborted) return;
    draw(video, video.videoWidth, video.videoHeight);
    video.requestVideoFrameCallback(next);
  };
  video.requestVideoFrameCallback(next);
  video.play().catch((error: unknown) => console.warn("The recording's pictures do not play.", error));
  signal.addEventListener("abort", () => {
    video.srcObject = null;
  });
}
