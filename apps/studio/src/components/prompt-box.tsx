// The prompt. Enter applies it; while video runs the picture follows at the next chunk.
import { ArrowUp, PenLine } from "lucide-react";
import { type FormEvent, useEffect, useRef, useState } from "react";

type PromptBoxProps = { applied: string; live: boolean; onApply: (prompt: string) => void };

export function PromptBox({ applied, live, onApply }: PromptBoxProps) {
  const [draft, setDraft] = useState(applied);
  const [shown, setShown] = useState(applied);
  const input = useRef<HTMLInputElement>(null);
  // A preset was chosen: its text replaces the draft.
  if (applied !== shown) {
    setShown(applied);
    setDraft(applied);
  }
  useEffect(() => {
    const handleKey = (event: KeyboardEvent) => {
      if (event.key !== "/" || document.activeElement instanceof HTMLInputElement) return;
      event.preventDefault();
      input.current?.select();
    };
    window.addEventListener("keydown", handleKey);
    return () => window.removeEventListener("keydown", handleKey);
  }, []);

  const text = draft.trim();
  const changed = text !== "" && text !== applied;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (text !== "") onApply(text);
  };
  return (
    <form
      onSubmit={submit}
      className="flex h-14 items-center gap-3 rounded-2xl border border-edge bg-panel pr-2 pl-4 transition focus-within:border-glow/60 focus-within:shadow-[0_0_0_4px_rgb(255_133_82/0.1)]"
    >
      <PenLine className="size-4.5 shrink-0 text-muted" aria-hidden="true" />
      <input
        ref={input}
        value={draft}
        onChange={({ currentTarget }) => setDraft(currentTarget.value)}
        placeholder="Type a style, then press Enter"
        aria-label="Prompt"
        maxLength={1000}
        enterKeyHint="send"
        autoComplete="off"
        spellCheck={false}
        className="h-full min-w-0 flex-1 bg-transparent text-base outline-none placeholder:text-muted"
      />
      <span className="hidden text-muted text-xs sm:inline" aria-live="polite">
        {changed ? "Enter to apply" : live ? "Applied" : ""}
      </span>
      <button
        type="submit"
        aria-label="Apply the prompt"
        disabled={!changed}
        className="grid size-10 shrink-0 place-content-center rounded-xl bg-glow text-ember transition disabled:bg-raised disabled:text-muted"
      >
        <ArrowUp className="size-4.5 stroke-[2.4]" aria-hidden="true" />
      </button>
    </form>
  );
}
