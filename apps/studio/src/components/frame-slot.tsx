// A picture that the next chunk begins with, or leads to: dropped, chosen, or taken from what goes in. It acts once, at
// once; a press on it sends it again.
import { Camera, ImagePlus, LoaderCircle, RotateCcw } from "lucide-react";
import { useState } from "react";
import type { Control } from "../state/controls.ts";
import { useStore, useStudio } from "../studio-context.tsx";
import { PictureButton, PictureDrop, RemoveButton } from "./picture-drop.tsx";

export function FrameSlot({ control: { key, label } }: { control: Control }) {
  const studio = useStudio();
  const frame = useStore(({ frames }) => frames[key]);
  const picture = useStore(({ referencePictures }) => frame && referencePictures[frame.path]);
  const hasInput = useStore(({ source }) => source !== undefined);
  const [isBusy, setBusy] = useState(false);
  const name = label.toLowerCase();
  const place = (image?: File) => {
    if (isBusy) return;
    setBusy(true);
    void studio.placeFrame(key, image).finally(() => setBusy(false));
  };
  return (
    <PictureDrop
      label={label}
      inputLabel={`${label} file`}
      className={() => "flex flex-col gap-1.5 text-[0.85rem]"}
      onPicture={place}
    >
      {(open, isOver) => (
        <>
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
                <PictureButton label={`Choose the ${name}`} onClick={open}>
                  <ImagePlus aria-hidden="true" />
                </PictureButton>
                {hasInput && (
                  <PictureButton label={`Take the input as the ${name}`} onClick={() => place()}>
                    <Camera aria-hidden="true" />
                  </PictureButton>
                )}
              </>
            ) : (
              <>
                {picture !== undefined && (
                  <img src={picture} alt={frame.name} className="absolute inset-0 size-full object-cover" />
                )}
                <button
                  type="button"
                  aria-label={`Send the ${name} again`}
                  title="Send it again"
                  onClick={() => studio.references.play(key)}
                  className="absolute inset-0 grid place-content-center text-paper transition hover:bg-night/45 [&_svg]:opacity-0 [&_svg]:transition hover:[&_svg]:opacity-100 focus-visible:[&_svg]:opacity-100"
                >
                  <RotateCcw className="size-5 drop-shadow" aria-hidden="true" />
                </button>
                <RemoveButton label={`Remove the ${name}`} onClick={() => studio.references.displace(key)} />
              </>
            )}
          </div>
        </>
      )}
    </PictureDrop>
  );
}
