// A video element for a live stream.
import { type Ref, useEffect, useRef } from "react";

type VideoProps = {
  stream: MediaStream | undefined;
  label: string;
  mirrored?: boolean;
  className?: string;
  /** Called when the first picture can be seen. */
  onFirstPicture?: () => void;
  ref?: Ref<HTMLVideoElement>;
};

export function Video({ stream, label, mirrored = false, className = "", onFirstPicture, ref }: VideoProps) {
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
      autoPlay
      muted
      playsInline
    />
  );
}
