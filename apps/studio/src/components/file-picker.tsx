// A hidden file input with any button in front of it.
import { type ReactNode, useRef } from "react";

type FilePickerProps = { onChoose: (file: File) => void; children: (open: () => void) => ReactNode };

export function FilePicker({ onChoose, children }: FilePickerProps) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      {children(() => input.current?.click())}
      <input
        ref={input}
        type="file"
        accept="video/*"
        className="hidden"
        tabIndex={-1}
        aria-label="Video file"
        onChange={({ currentTarget }) => {
          const [file] = currentTarget.files ?? [];
          // Choosing the same file again must count as a choice.
          currentTarget.value = "";
          if (file !== undefined) onChoose(file);
        }}
      />
    </>
  );
}
