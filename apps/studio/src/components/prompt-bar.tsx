// The prompt. Enter sends it; the arrow keys walk through what was sent before; a second one makes a mix.
import { ArrowUp, Clock, PenLine, Plus } from "lucide-react";
import { Popover } from "radix-ui";
import { type FormEvent, useState } from "react";
import { addPrompt, MAX_PROMPTS } from "../state/look.ts";
import { walk } from "../state/prompt-history.ts";
import { useStore, useStudio } from "../studio-context.tsx";
import { IconButton } from "./icon-button.tsx";
import { PromptMix } from "./prompt-mix.tsx";

export function PromptBar() {
  const studio = useStudio();
  const look = useStore(({ settings }) => settings.look);
  const history = useStore((state) => state.promptHistory);
  const isPending = useStore((state) => state.isPending);
  const applied = look.prompts[0]?.text ?? "";
  const [draft, setDraft] = useState(applied);
  const [shown, setShown] = useState(applied);
  const [position, setPosition] = useState(-1);
  // Another prompt is on: its text replaces the draft, unless somebody writes one just now.
  if (applied !== shown) {
    setShown(applied);
    const isWriting = draft !== shown && document.activeElement?.id === "prompt";
    if (!isWriting) {
      setDraft(applied);
      setPosition(-1);
    }
  }
  const text = draft.trim();
  const isMix = look.prompts.length > 1;
  const send = (event: FormEvent) => {
    event.preventDefault();
    if (text === "") return;
    setPosition(-1);
    studio.sendPrompt(text);
  };
  const step = (direction: 1 | -1) => {
    const next = walk(history, position, direction);
    setPosition(next);
    setDraft(next < 0 ? applied : (history[next] ?? ""));
  };
  if (isMix) return <PromptMix />;
  return (
    <form
      onSubmit={send}
      className="relative flex h-14 shrink-0 items-center gap-1 overflow-hidden rounded-2xl border border-edge bg-panel pr-2 pl-4 transition focus-within:border-glow/60 focus-within:shadow-[0_0_0_4px_rgb(255_133_82/0.1)]"
    >
      <PenLine className="size-4.5 shrink-0 text-muted" aria-hidden="true" />
      <input
        id="prompt"
        value={draft}
        onChange={({ currentTarget }) => setDraft(currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key !== "ArrowUp" && event.key !== "ArrowDown") return;
          event.preventDefault();
          step(event.key === "ArrowUp" ? 1 : -1);
        }}
        placeholder="Type a look, then press Enter"
        aria-label="Prompt"
        aria-describedby="prompt-help"
        maxLength={1000}
        enterKeyHint="send"
        autoComplete="off"
        spellCheck={false}
        className="ml-2 h-full min-w-0 flex-1 bg-transparent text-base outline-none placeholder:text-muted"
      />
      <span id="prompt-help" className="sr-only">
        Enter sends it. The arrow keys bring back what you sent before.
      </span>
      <HistoryMenu history={history} onChoose={(entry) => studio.sendPrompt(entry)} />
      <IconButton
        label="Mix with a second prompt"
        disabled={text === "" || look.prompts.length >= MAX_PROMPTS}
        onClick={() => studio.setLook(addPrompt(look, history.find((entry) => entry !== applied) ?? "oil painting"))}
      >
        <Plus aria-hidden="true" />
      </IconButton>
      <button
        type="submit"
        aria-label="Send the prompt"
        className={`grid size-10 shrink-0 place-content-center rounded-xl transition ${text !== "" && text !== applied ? "bg-glow text-ember" : "bg-raised text-muted"}`}
      >
        <ArrowUp className="size-4.5 stroke-[2.4]" aria-hidden="true" />
      </button>
      {isPending && (
        <span
          className="sweep absolute bottom-0 left-0 h-0.5 w-1/3 bg-gradient-to-r from-transparent via-glow to-transparent"
          aria-hidden="true"
        />
      )}
    </form>
  );
}

function HistoryMenu({ history, onChoose }: { history: readonly string[]; onChoose: (entry: string) => void }) {
  const [isOpen, setOpen] = useState(false);
  if (history.length === 0) return null;
  return (
    <Popover.Root open={isOpen} onOpenChange={setOpen}>
      <Popover.Trigger
        aria-label="Prompts sent before"
        className="grid size-9 shrink-0 place-content-center rounded-xl text-soft transition hover:bg-raised hover:text-paper"
      >
        <Clock className="size-[1.15rem]" aria-hidden="true" />
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Content
          side="top"
          align="end"
          sideOffset={12}
          className="menu pop max-h-80 w-80 max-w-[90vw] overflow-y-auto"
          aria-label="Prompts sent before"
        >
          {history.map((entry) => (
            <button
              key={entry}
              type="button"
              className="menu-item w-full hover:bg-lifted"
              onClick={() => {
                onChoose(entry);
                setOpen(false);
              }}
            >
              <span className="truncate">{entry}</span>
            </button>
          ))}
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}
