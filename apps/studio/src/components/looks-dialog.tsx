// All looks at once, and making their pictures from what the camera sees.
import { Camera, Square, Undo2 } from "lucide-react";
import { PRESET_GROUPS, presetOf } from "../state/presets.ts";
import { useStore, useStudio } from "../studio-context.tsx";
import { Button } from "./button.tsx";
import { LookTile } from "./look-strip.tsx";
import { Modal } from "./modal.tsx";

export function LooksDialog({ isOpen, onOpenChange }: { isOpen: boolean; onOpenChange: (isOpen: boolean) => void }) {
  const studio = useStudio();
  const prompt = useStore(({ settings }) => settings.look.prompts[0]?.text);
  const isLive = useStore((state) => state.phase === "live");
  const isTouring = useStore((state) => state.touring !== undefined);
  const hasOwn = useStore((state) => Object.keys(state.thumbnails).length > 0);
  const current = presetOf(prompt ?? "")?.id;
  return (
    <Modal
      title="Looks"
      description="What the small model has learnt. Say more in the prompt: “slightly gold”, “a city in stained glass”."
      isOpen={isOpen}
      onOpenChange={onOpenChange}
      className="max-w-4xl"
    >
      <div className="mb-4 flex flex-wrap gap-2">
        <Button
          icon={isTouring ? <Square aria-hidden="true" /> : <Camera aria-hidden="true" />}
          disabled={!isLive}
          onClick={() => void studio.thumbnails.tour()}
        >
          {isTouring ? "Stop" : "Make the pictures from my camera"}
        </Button>
        {hasOwn && !isTouring && (
          <Button icon={<Undo2 aria-hidden="true" />} onClick={() => studio.thumbnails.forget()}>
            Forget them
          </Button>
        )}
      </div>
      {PRESET_GROUPS.map(({ label, presets }) => (
        <section key={label} aria-label={label} className="mb-5">
          <h3 className="mb-2 text-[0.8rem] text-muted">{label}</h3>
          <div className="grid grid-cols-3 gap-2.5 sm:grid-cols-5">
            {presets.map((preset) => (
              <LookTile key={preset.id} preset={preset} isOn={preset.id === current} />
            ))}
          </div>
        </section>
      ))}
    </Modal>
  );
}
