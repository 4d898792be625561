// Reference images: dropped, pasted, chosen, or taken from what goes in now.
import { Camera, ImagePlus, LoaderCircle } from "lucide-react";
import { useCallback, useEffect, useState } from "react";
import { MAX_REFERENCES } from "../state/look.ts";
import { useStore, useStudio } from "../studio-context.tsx";
import { PictureButton, PictureDrop, RemoveButton } from "./picture-drop.tsx";

const PLACE = "aspect-square rounded-lg border border-line hover:border-edge";

export function ReferenceShelf() {
  const studio = useStudio();
  const references = useStore(({ settings }) => settings.look.references);
  const pictures = useStore(({ referencePictures }) => referencePictures);
  const hasInput = useStore(({ source }) => source !== undefined);
  const [busy, setBusy] = useState(0);
  const hasRoom = references.length + busy < MAX_REFERENCES;

  const add = useCallback(
    (image: File) => {
      setBusy((count) => count + 1);
      void studio.addReference(image, image.name).finally(() => setBusy((count) => count - 1));
    },
    [studio],
  );
  // biome-ignore lint/correctness/useExhaustiveDependencies: somebody else may have set other references
  useEffect(() => {
    void studio.references.refresh();
  }, [studio, references]);
  useEffect(() => {
    const paste = ({ clipboardData }: ClipboardEvent) => {
      const images = [...(clipboardData?.files ?? [])].filter(({ type }) => type.startsWith("image/"));
      for (const image of images.slice(0, MAX_REFERENCES)) add(image);
    };
    window.addEventListener("paste", paste);
    return () => window.removeEventListener("paste", paste);
  }, [add]);

  return (
    <PictureDrop
      label="Reference images"
      inputLabel="Reference image files"
      most={MAX_REFERENCES}
      className={(isOver) =>
        `flex flex-col gap-2 rounded-xl border border-dashed p-3 transition ${isOver ? "border-glow bg-glow/10" : "border-edge"}`
      }
      onPicture={add}
    >
      {(open, isOver) => (
        <>
          <div className="flex items-center justify-between text-[0.85rem]">
            References
            <span className="text-[0.7rem] text-muted">{isOver ? "Let go to add" : "Drop, paste or choose"}</span>
          </div>
          <div className="grid grid-cols-4 gap-2">
            {references.map(({ path, name }) => (
              <figure
                key={path}
                className="group relative aspect-square overflow-hidden rounded-lg bg-raised ring-1 ring-line"
              >
                {pictures[path] !== undefined && (
                  <img src={pictures[path]} alt={name} className="size-full object-cover" />
                )}
                <RemoveButton label={`Remove ${name}`} onClick={() => studio.references.remove(path)} />
              </figure>
            ))}
            {Array.from({ length: busy }, (_, i) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: places without content are alike
              <div key={i} className="grid aspect-square place-content-center rounded-lg bg-raised">
                <LoaderCircle className="size-4 animate-spin text-muted" aria-label="Uploading" />
              </div>
            ))}
            {hasRoom && (
              <PictureButton label="Choose reference images" className={PLACE} onClick={open}>
                <ImagePlus aria-hidden="true" />
              </PictureButton>
            )}
            {hasRoom && hasInput && (
              <PictureButton
                label="Take the input as a reference"
                className={PLACE}
                onClick={() => void studio.referenceFromInput()}
              >
                <Camera aria-hidden="true" />
              </PictureButton>
            )}
          </div>
        </>
      )}
    </PictureDrop>
  );
}
