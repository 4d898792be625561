// A text field whose value counts when it is left or Enter is pressed; Escape, and what cannot be read, go back to what it
// was.
import { type HTMLAttributes, useState } from "react";
import { flushSync } from "react-dom";

type CommitFieldProps<Value> = {
  label: string;
  value: string;
  parse: (text: string) => Value | undefined;
  onCommit: (value: Value) => void;
  inputMode?: HTMLAttributes<HTMLInputElement>["inputMode"];
  className?: string;
  id?: string;
};

export function CommitField<Value>({
  label,
  value,
  parse,
  onCommit,
  inputMode,
  className = "",
  id,
}: CommitFieldProps<Value>) {
  const [draft, setDraft] = useState<string>();
  const commit = () => {
    if (draft === undefined) return;
    setDraft(undefined);
    const parsed = parse(draft);
    if (parsed !== undefined && draft !== value) onCommit(parsed);
  };
  return (
    <input
      id={id}
      aria-label={label}
      value={draft ?? value}
      inputMode={inputMode}
      autoComplete="off"
      spellCheck={false}
      onChange={({ currentTarget }) => setDraft(currentTarget.value)}
      onBlur={commit}
      onKeyDown={({ key, currentTarget }) => {
        if (key === "Enter") commit();
        if (key !== "Escape") return;
        // At once: leaving the field must not find the draft.
        flushSync(() => setDraft(undefined));
        currentTarget.blur();
      }}
      className={`figures h-8 min-w-0 rounded-lg border border-line bg-night/60 px-2 text-[0.825rem] outline-none transition hover:border-edge focus:border-glow/60 ${className}`}
    />
  );
}
