// A video element for a live stream.
import { type Ref, useEffect, useRef } from "react";

type VideoProps = {
  stream: MediaStream | undefined;
  label: string;
  mirrored?: boolean;
  className?: string;
  /** Called when the first picture can be seen. */
  onFirstPicture?: () => void;
  /** Called with the picture's size, pixels, whenever it changes. */
  onSize?: (size: { width: number; height: number }) => void;
  ref?: Ref<HTMLVideoElement>;
};

export function Video({ stream, label, mirrored = false, className = "", onFirstPicture, onSize, ref }: VideoProps) {
  const own = useRef<HTMLVideoElement | null>(null);
  useEffect(() => {
    const video = own.current;
    if (video === null) return;
    video.srcObject = stream ?? null;
    // A muted video may always play; the promise fails only when the stream is replaced before its first picture.
    video.play().catch((error: unknown) => {
      if (!(error instanceof Error && error.name === "AbortError")) console.warn("The video did not start.", error);
    });
    return () => {
      video.srcObject = null;
    };
  }, [stream]);
  return (
    <video
      ref={(element) => {
        own.current = element;
        if (typeof ref === "function") ref(element);
        else if (ref != null) ref.current = element;
      }}
      className={`${mirrored ? "-scale-x-100" : ""} ${className}`}
      aria-label={label}
      onLoadedData={onFirstPicture}
      onResize={({ currentTarget: { videoWidth, videoHeight } }) => {
        if (videoWidth > 0 && videoHeight > 0) onSize?.({ width: videoWidth, height: videoHeight });
      }}
      autoPlay
      muted
      playsInline
    />
  );
}
