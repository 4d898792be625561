// Which model runs, and how it is loaded. Every change here loads it again; the last picture is held meanwhile.
import { ChevronRight } from "lucide-react";
import { type Control as ControlInfo, loadControls } from "../state/controls.ts";
import { sizeText, stageText } from "../state/figures.ts";
import { SIZES } from "../state/settings.ts";
import { useStore, useStudio } from "../studio-context.tsx";
import { Control } from "./control.tsx";
import { Hint } from "./hint.tsx";
import { ProgressLine } from "./progress-line.tsx";

export function ModelPanel() {
  const studio = useStudio();
  const load = useStore(({ settings }) => settings.load);
  const schemas = useStore((state) => state.schemas);
  const pipeline = useStore((state) => state.pipeline);
  const schema = schemas[load.pipeline];
  const isLoading = pipeline?.status === "loading";
  const size = pipeline?.size;
  const controls = loadControls(schema?.load_parameters ?? []);
  const isPlain = ({ key }: ControlInfo) => key === "vaeType" || key === "loras";
  const others = controls.filter((control) => !isPlain(control));
  const draw = (control: ControlInfo) => (
    <Control
      key={control.key}
      control={control}
      value={load.values[control.key]}
      onChange={(value) => void studio.watch.choose({ values: { ...load.values, [control.key]: value } })}
    />
  );
  return (
    <div className="flex flex-col gap-5" aria-busy={isLoading}>
      <div role="radiogroup" aria-label="Model" className="flex flex-col gap-2">
        {Object.values(schemas).map(({ id, name, description }) => {
          const isOn = id === load.pipeline;
          return (
            // biome-ignore lint/a11y/useSemanticElements: a card with several lines is one choice
            <button
              key={id}
              type="button"
              role="radio"
              aria-checked={isOn}
              aria-label={name}
              aria-description={description}
              onClick={() => !isOn && void studio.watch.choose({ pipeline: id })}
              className={`rounded-xl border p-3 text-left transition ${isOn ? "border-glow/70 bg-glow/10" : "border-line hover:border-edge hover:bg-raised/60"}`}
            >
              <span className="flex items-baseline justify-between gap-2">
                <span className="font-semibold text-[0.85rem]">{name}</span>
                {isOn && pipeline?.status === "loaded" && (
                  <span className="figures text-[0.7rem] text-good">
                    {pipeline.model} · {sizeText(size)}
                  </span>
                )}
              </span>
              <span className="mt-0.5 block text-pretty text-[0.72rem] text-muted leading-snug">{description}</span>
            </button>
          );
        })}
      </div>
      {isLoading && (
        <div className="flex flex-col gap-2">
          <p role="status" className="text-[0.8rem] text-soft">
            {stageText(pipeline) ?? "Loading the model"}
          </p>
          <ProgressLine />
        </div>
      )}
      <Hint text="Size of the picture in pixels: smaller is faster. Loads the model again." side="left">
        <div className="flex flex-col gap-1.5 text-[0.85rem]">
          Size
          <div role="radiogroup" aria-label="Size" className="grid grid-cols-3 gap-1.5">
            <SizeButton
              label="Model's own"
              isOn={load.size === undefined}
              onClick={() => void studio.watch.choose({ size: undefined })}
            />
            {SIZES.map((one) => (
              <SizeButton
                key={one.width}
                label={`${one.width}×${one.height}`}
                isOn={load.size?.width === one.width && load.size.height === one.height}
                onClick={() => void studio.watch.choose({ size: one })}
              />
            ))}
          </div>
        </div>
      </Hint>
      {controls.filter(isPlain).map(draw)}
      {others.length > 0 && (
        <details className="group flex flex-col text-[0.85rem]">
          <summary className="cursor-pointer list-none rounded-md text-soft transition hover:text-paper">
            <ChevronRight className="mr-1 inline size-4 transition group-open:rotate-90" aria-hidden="true" />
            More
          </summary>
          <div className="mt-4 flex flex-col gap-5">{others.map(draw)}</div>
        </details>
      )}
      <a href="#models" className="text-[0.825rem] text-glow-soft underline-offset-4 hover:underline">
        What is installed, and what this machine can run
      </a>
    </div>
  );
}

function SizeButton({ label, isOn, onClick }: { label: string; isOn: boolean; onClick: () => void }) {
  return (
    // biome-ignore lint/a11y/useSemanticElements: drawn as a segment
    <button
      type="button"
      role="radio"
      aria-checked={isOn}
      onClick={onClick}
      className={`figures h-9 rounded-lg border text-[0.75rem] transition ${isOn ? "border-glow/70 bg-glow/10 text-paper" : "border-line text-muted hover:border-edge hover:text-paper"}`}
    >
      {label}
    </button>
  );
}
