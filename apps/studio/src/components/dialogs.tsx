// The cheat sheet of keys, and the knobs of MIDI controllers.
import { Trash2 } from "lucide-react";
import { loraName } from "../state/loras.ts";
import { controlText } from "../state/midi.ts";
import { SHORTCUT_GROUPS } from "../state/shortcuts.ts";
import { useStore, useStudio } from "../studio-context.tsx";
import { Key } from "./hint.tsx";
import { IconButton } from "./icon-button.tsx";
import { Modal } from "./modal.tsx";

export function Dialogs() {
  return (
    <>
      <ShortcutSheet />
      <MidiDialog />
    </>
  );
}

function ShortcutSheet() {
  const studio = useStudio();
  const isOpen = useStore((state) => state.dialog === "shortcuts");
  return (
    <Modal
      title="Keys"
      description="They work wherever you are, unless you are writing."
      isOpen={isOpen}
      onOpenChange={(open) => studio.store.update({ dialog: open ? "shortcuts" : undefined })}
      className="max-w-4xl"
    >
      <div className="grid gap-x-10 gap-y-6 sm:grid-cols-3">
        {SHORTCUT_GROUPS.map(({ label, shortcuts }) => (
          <section key={label}>
            <h3 className="mb-2 text-[0.8rem] text-glow-soft">{label}</h3>
            <dl className="flex flex-col">
              {shortcuts.map(({ command, key, shown, text }) => (
                <div
                  key={command}
                  className="flex items-center justify-between gap-3 border-line border-b py-2 text-[0.85rem] last:border-0"
                >
                  <dt className="text-soft">{text}</dt>
                  <dd>
                    <Key>{shown ?? key.toUpperCase()}</Key>
                  </dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Modal>
  );
}

const NAMES: Readonly<Record<string, string>> = {
  noiseScale: "Noise",
  vaceContextScale: "Guidance",
  transitionChunks: "Change over",
  "weight:0": "Weight of prompt 1",
  "weight:1": "Weight of prompt 2",
  "weight:2": "Weight of prompt 3",
  "weight:3": "Weight of prompt 4",
};

function MidiDialog() {
  const studio = useStudio();
  const isOpen = useStore((state) => state.dialog === "midi");
  const { access, devices, bindings, learning } = useStore((state) => state.midi);
  const loras = useStore(({ pipeline }) => pipeline?.loras) ?? [];
  const names = {
    ...NAMES,
    ...Object.fromEntries(loras.map(({ path }) => [`lora:${loraName(path)}`, loraName(path)])),
  };
  const text = {
    off: "The browser asks whether this page may use your controllers.",
    denied: "The browser was told not to. Allow MIDI for this page in its address bar, then open this again.",
    unsupported: "This browser cannot read MIDI controllers. Chrome, Edge and Firefox can.",
    on: devices.length === 0 ? "No controller is connected; plug one in." : `Listening to ${devices.join(", ")}.`,
  }[access];
  return (
    <Modal
      title="MIDI controllers"
      description={text}
      isOpen={isOpen}
      onOpenChange={(open) => {
        if (!open) studio.midi.learn(undefined);
        studio.store.update({ dialog: open ? "midi" : undefined });
      }}
      isModal={false}
      className="max-w-md sm:mr-[26rem]"
    >
      <div className="flex flex-col gap-1.5">
        {Object.entries(names).map(([target, name]) => {
          const control = Object.keys(bindings).find((one) => bindings[one] === target);
          const isLearning = learning === target;
          return (
            <div key={target} className="flex items-center gap-2">
              <button
                type="button"
                disabled={access !== "on"}
                aria-pressed={isLearning}
                onClick={() => studio.midi.learn(isLearning ? undefined : target)}
                className={`flex h-10 flex-1 items-center justify-between gap-3 rounded-xl border px-3 text-[0.85rem] transition disabled:opacity-50 ${isLearning ? "border-glow bg-glow/10" : "border-line hover:border-edge hover:bg-raised"}`}
              >
                {name}
                <span className="text-[0.75rem] text-muted">
                  {isLearning ? "Turn a knob" : control === undefined ? "Learn" : controlText(control)}
                </span>
              </button>
              <IconButton
                label={`Forget the knob of ${name}`}
                disabled={control === undefined}
                onClick={() => studio.midi.forget(target)}
              >
                <Trash2 aria-hidden="true" />
              </IconButton>
            </div>
          );
        })}
      </div>
    </Modal>
  );
}
