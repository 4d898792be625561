// Reference images: dropped, pasted, chosen, or taken from what goes in now.
import { Camera, ImagePlus, LoaderCircle, X } from "lucide-react";
import { useCallback, useEffect, useRef, useState } from "react";
import { MAX_REFERENCES } from "../state/look.ts";
import { useStore, useStudio } from "../studio-context.tsx";

export function ReferenceShelf() {
  const studio = useStudio();
  const references = useStore(({ settings }) => settings.look.references);
  const pictures = useStore(({ referencePictures }) => referencePictures);
  const hasInput = useStore(({ source }) => source !== undefined);
  const [isOver, setOver] = useState(false);
  const [busy, setBusy] = useState(0);
  const file = useRef<HTMLInputElement>(null);

  const add = useCallback(
    (images: readonly File[]) => {
      for (const image of images.filter(({ type }) => type.startsWith("image/")).slice(0, MAX_REFERENCES)) {
        setBusy((count) => count + 1);
        void studio.addReference(image, image.name).finally(() => setBusy((count) => count - 1));
      }
    },
    [studio],
  );
  // biome-ignore lint/correctness/useExhaustiveDependencies: somebody else may have set other references
  useEffect(() => {
    void studio.references.refresh();
  }, [studio, references]);
  useEffect(() => {
    const paste = ({ clipboardData }: ClipboardEvent) => add([...(clipboardData?.files ?? [])]);
    window.addEventListener("paste", paste);
    return () => window.removeEventListener("paste", paste);
  }, [add]);

  return (
    <section
      aria-label="Reference images"
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
        add([...event.dataTransfer.files]);
      }}
      className={`flex flex-col gap-2 rounded-xl border border-dashed p-3 transition ${isOver ? "border-glow bg-glow/10" : "border-edge"}`}
    >
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
            {pictures[path] !== undefined && <img src={pictures[path]} alt={name} className="size-full object-cover" />}
            <button
              type="button"
              aria-label={`Remove ${name}`}
              onClick={() => studio.references.remove(path)}
              className="absolute top-1 right-1 grid size-6 place-content-center rounded-full bg-night/75 text-paper transition hover:bg-tally"
            >
              <X className="size-3.5" aria-hidden="true" />
            </button>
          </figure>
        ))}
        {Array.from({ length: busy }, (_, i) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: places without content are alike
          <div key={i} className="grid aspect-square place-content-center rounded-lg bg-raised">
            <LoaderCircle className="size-4 animate-spin text-muted" aria-label="Uploading" />
          </div>
        ))}
        {references.length + busy < MAX_REFERENCES && (
          <AddButton label="Choose reference images" onClick={() => file.current?.click()}>
            <ImagePlus aria-hidden="true" />
          </AddButton>
        )}
        {references.length + busy < MAX_REFERENCES && hasInput && (
          <AddButton label="Take the input as a reference" onClick={() => void studio.referenceFromInput()}>
            <Camera aria-hidden="true" />
          </AddButton>
        )}
      </div>
      <input
        ref={file}
        type="file"
        accept="image/*"
        multiple
        className="hidden"
        tabIndex={-1}
        aria-label="Reference image files"
        onChange={({ currentTarget }) => {
          add([...(currentTarget.files ?? [])]);
          currentTarget.value = "";
        }}
      />
    </section>
  );
}

function AddButton({ label, onClick, children }: { label: string; onClick: () => void; children: React.ReactNode }) {
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      onClick={onClick}
      className="grid aspect-square place-content-center rounded-lg border border-line text-muted transition hover:border-edge hover:bg-raised hover:text-paper [&_svg]:size-4.5"
    >
      {children}
    </button>
  );
}
