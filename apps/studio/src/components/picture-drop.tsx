// A place for pictures, which are dropped on it or chosen with a button in it, and the buttons of such a place.
import { X } from "lucide-react";
import { type ReactNode, useState } from "react";
import { FilePicker } from "./file-picker.tsx";

type PictureDropProps = {
  label: string;
  /** Of the file input. */
  inputLabel: string;
  /** How many can be chosen or dropped at once. Default 1. */
  most?: number;
  className: (isOver: boolean) => string;
  /** Called with each picture; files that are none are left out. */
  onPicture: (picture: File) => void;
  children: (open: () => void, isOver: boolean) => ReactNode;
};

export function PictureDrop({ label, inputLabel, most = 1, className, onPicture, children }: PictureDropProps) {
  const [isOver, setOver] = useState(false);
  const take = (file: File) => {
    if (file.type.startsWith("image/")) onPicture(file);
  };
  return (
    <section
      aria-label={label}
      className={className(isOver)}
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
        for (const file of [...event.dataTransfer.files].slice(0, most)) take(file);
      }}
    >
      <FilePicker label={inputLabel} accept="image/*" most={most} onChoose={take}>
        {(open) => children(open, isOver)}
      </FilePicker>
    </section>
  );
}

type PictureButtonProps = { label: string; className?: string; onClick: () => void; children: ReactNode };

/** An empty place that can be filled. */
export function PictureButton({ label, className = "", onClick, children }: PictureButtonProps) {
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      onClick={onClick}
      className={`grid place-content-center text-muted transition hover:bg-raised hover:text-paper [&_svg]:size-4.5 ${className}`}
    >
      {children}
    </button>
  );
}

/** In a picture's corner. */
export function RemoveButton({ label, onClick }: { label: string; onClick: () => void }) {
  return (
    <button
      type="button"
      aria-label={label}
      onClick={onClick}
      className="absolute top-1 right-1 grid size-6 place-content-center rounded-full bg-night/75 text-paper transition hover:bg-tally"
    >
      <X className="size-3.5" aria-hidden="true" />
    </button>
  );
}
