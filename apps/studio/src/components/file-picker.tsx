// A hidden file input with any button in front of it.
import { type ReactNode, useRef } from "react";

type FilePickerProps = {
  /** What the input is called where it cannot be seen. */
  label: string;
  /** As of an input: "video/*". */
  accept: string;
  /** How many files can be chosen at once. Default 1. */
  most?: number;
  /** Called with each chosen file. */
  onChoose: (file: File) => void;
  children: (open: () => void) => ReactNode;
};

export function FilePicker({ label, accept, most = 1, onChoose, children }: FilePickerProps) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      {children(() => input.current?.click())}
      <input
        ref={input}
        type="file"
        accept={accept}
        multiple={most > 1}
        className="hidden"
        tabIndex={-1}
        aria-label={label}
        onChange={({ currentTarget }) => {
          const files = [...(currentTarget.files ?? [])].slice(0, most);
          // Choosing the same file again must count as a choice.
          currentTarget.value = "";
          for (const file of files) onChoose(file);
        }}
      />
    </>
  );
}
