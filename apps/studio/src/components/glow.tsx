// Light of the video on the wall behind it: a canvas of a few pixels, stretched. Off where motion is unwelcome.
import { type RefObject, useEffect, useRef } from "react";

const PERIOD_MS = 120;

export function Glow({ video, mirrored }: { video: RefObject<HTMLVideoElement | null>; mirrored: boolean }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
    const context = canvas.current?.getContext("2d", { alpha: false });
    if (context == null) return;
    // Old light fades, so that the wall changes more softly than the picture.
    context.globalAlpha = 0.35;
    const timer = setInterval(() => {
      if (document.hidden || video.current === null || video.current.readyState < 2) return;
      context.drawImage(video.current, 0, 0, 12, 7);
    }, PERIOD_MS);
    return () => clearInterval(timer);
  }, [video]);
  return (
    <div
      aria-hidden="true"
      className={`rise pointer-events-none absolute -inset-x-[6%] -inset-y-[9%] -z-10 opacity-40 [mask-image:radial-gradient(closest-side,black_62%,transparent)] ${mirrored ? "-scale-x-100" : ""}`}
    >
      <canvas ref={canvas} width={12} height={7} className="size-full" />
    </div>
  );
}
