// Which LoRA files a load takes, by their names in the server's LoRA folder, how strong they begin, and whether their
// strength can be played.
import { Plus, X } from "lucide-react";
import { useState } from "react";
import { addLora, loraName, MAX_LORAS, MERGE_MODES, toLoraFiles } from "../state/loras.ts";
import { useStore, useStudio } from "../studio-context.tsx";
import { CommitField } from "./commit-field.tsx";
import { IconButton } from "./icon-button.tsx";
import { Segments } from "./segments.tsx";

const MODE_LABELS: Readonly<Record<string, string>> = { runtime_peft: "Playable", permanent_merge: "Merged, faster" };

export function LoraList() {
  const studio = useStudio();
  const given = useStore(({ settings }) => settings.load.values["loras"]);
  const loras = toLoraFiles(given);
  const [name, setName] = useState("");
  const change = (path: string, patch: Partial<(typeof loras)[number]>) =>
    void studio.setLoras(loras.map((lora) => (lora.path === path ? { ...lora, ...patch } : lora)));
  return (
    <section aria-label="LoRAs" className="flex flex-col gap-2 text-[0.85rem]">
      <span className="flex items-baseline justify-between gap-2">
        LoRAs
        <span className="text-[0.7rem] text-muted">Files in the server's lora folder</span>
      </span>
      {loras.length > 0 && (
        <ul className="flex flex-col gap-1.5">
          {loras.map(({ path, scale }) => (
            <li key={path} className="flex items-center gap-1 rounded-xl border border-line py-0.5 pr-0.5 pl-3">
              <span className="min-w-0 flex-1 truncate text-[0.8rem]" title={path}>
                {path}
              </span>
              <CommitField
                label={`Scale of ${loraName(path)}`}
                value={String(scale)}
                inputMode="decimal"
                className="w-14 text-right"
                parse={(text) => {
                  const number = Number(text);
                  return text.trim() !== "" && Math.abs(number) <= 10 ? number : undefined;
                }}
                onCommit={(value) => change(path, { scale: value })}
              />
              <IconButton
                label={`Take ${loraName(path)} out`}
                onClick={() => void studio.setLoras(loras.filter((lora) => lora.path !== path))}
              >
                <X aria-hidden="true" />
              </IconButton>
            </li>
          ))}
        </ul>
      )}
      {loras.length < MAX_LORAS && (
        <form
          className="flex gap-1"
          onSubmit={(event) => {
            event.preventDefault();
            const more = addLora(loras, name);
            setName("");
            if (more !== loras) void studio.setLoras(more);
          }}
        >
          <input
            aria-label="Name of a LoRA file"
            placeholder="ink.safetensors"
            value={name}
            autoComplete="off"
            spellCheck={false}
            onChange={({ currentTarget }) => setName(currentTarget.value)}
            className="h-9 min-w-0 flex-1 rounded-xl border border-line bg-night/60 px-3 text-[0.825rem] outline-none transition placeholder:text-muted/70 hover:border-edge focus:border-glow/60"
          />
          <IconButton label="Load this LoRA" type="submit" className="-mr-2" disabled={name.trim() === ""}>
            <Plus aria-hidden="true" />
          </IconButton>
        </form>
      )}
      {loras.length > 0 && (
        <Segments
          label="How LoRAs are loaded"
          value={loras[0]?.mergeMode ?? "runtime_peft"}
          options={MERGE_MODES.map((mode) => ({ value: mode, label: MODE_LABELS[mode] }))}
          onChange={(mergeMode) => void studio.setLoras(loras.map((lora) => ({ ...lora, mergeMode })))}
        />
      )}
    </section>
  );
}
