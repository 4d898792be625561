// A picture that the next chunk begins with, or leads to: dropped, chosen, or taken from what goes in. It acts once, at
// once; a press on it sends it again.
import { Camera, ImagePlus, LoaderCircle, RotateCcw, X } from "lucide-react";
import { useRef, useState } from "react";
import type { Control } from "../state/controls.ts";
import { useStore, useStudio } from "../studio-context.tsx";

export function FrameSlot({ control: { key, label } }: { control: Control }) {
  const studio = useStudio();
  const frame = useStore(({ frames }) => frames[key]);
  const picture = useStore(({ referencePictures }) => frame && referencePictures[frame.path]);
  const hasInput = useStore(({ source }) => source !== undefined);
  const [isOver, setOver] = useState(false);
  const [isBusy, setBusy] = useState(false);
  const file = useRef<HTMLInputElement>(null);
  const place = (image?: File) => {
    if (isBusy || (image !== undefined && !image.type.startsWith("image/"))) return;
    setBusy(true);
    void studio.placeFrame(key, image).finally(() => setBusy(false));
  };
  return (
    <section
      aria-label={label}
      className="flex flex-col gap-1.5 text-[0.85rem]"
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={({ currentTarget, relatedTarget }) => {
        if (!(relatedTarget instanceof Node && currentTarget.contains(relatedTarget))) setOver(false);
      }}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        place(event.dataTransfer.files[0]);
      }}
    >
      <span className="flex items-baseline justify-between gap-2">
        {label}
        {frame?.isWaiting === true && <span className="text-[0.7rem] text-muted">At the start</span>}
      </span>
      <div
        className={`group relative grid aspect-video grid-flow-col overflow-hidden rounded-xl border transition ${isOver ? "border-glow bg-glow/10" : frame === undefined ? "border-edge border-dashed" : "border-line bg-raised"}`}
      >
        {isBusy ? (
          <LoaderCircle className="m-auto size-4.5 animate-spin text-muted" aria-label="Uploading" />
        ) : frame === undefined ? (
          <>
            <SlotButton label={`Choose the ${label.toLowerCase()}`} onClick={() => file.current?.click()}>
              <ImagePlus aria-hidden="true" />
            </SlotButton>
            {hasInput && (
              <SlotButton label={`Take the input as the ${label.toLowerCase()}`} onClick={() => place()}>
                <Camera aria-hidden="true" />
              </SlotButton>
            )}
          </>
        ) : (
          <>
            {picture !== undefined && (
              <img src={picture} alt={frame.name} className="absolute inset-0 size-full object-cover" />
            )}
            <button
              type="button"
              aria-label={`Send the ${label.toLowerCase()} again`}
              title="Send it again"
              onClick={() => studio.references.play(key)}
              className="absolute inset-0 grid place-content-center text-paper transition hover:bg-night/45 [&_svg]:opacity-0 [&_svg]:transition hover:[&_svg]:opacity-100 focus-visible:[&_svg]:opacity-100"
            >
              <RotateCcw className="size-5 drop-shadow" aria-hidden="true" />
            </button>
            <button
              type="button"
              aria-label={`Remove the ${label.toLowerCase()}`}
              onClick={() => studio.references.displace(key)}
              className="absolute top-1 right-1 grid size-6 place-content-center rounded-full bg-night/75 text-paper transition hover:bg-tally"
            >
              <X className="size-3.5" aria-hidden="true" />
            </button>
          </>
        )}
      </div>
      <input
        ref={file}
        type="file"
        accept="image/*"
        className="hidden"
        tabIndex={-1}
        aria-label={`${label} file`}
        onChange={({ currentTarget }) => {
          const [image] = currentTarget.files ?? [];
          currentTarget.value = "";
          if (image !== undefined) place(image);
        }}
      />
    </section>
  );
}

function SlotButton({ label, onClick, children }: { label: string; onClick: () => void; children: React.ReactNode }) {
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      onClick={onClick}
      className="grid place-content-center text-muted transition hover:bg-raised hover:text-paper [&_svg]:size-4.5"
    >
      {children}
    </button>
  );
}
