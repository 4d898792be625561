// How the picture is made. The mode, the slider, the steps and the seed act while video runs; the size and the camera test
// load the pipeline again.
import { Dices } from "lucide-react";
import { Switch } from "radix-ui";
import type { ReactNode } from "react";
import { isStepCount, type Mode, type SizeChoice, STEP_LISTS } from "../settings.ts";
import type { Snapshot, Studio } from "../studio.ts";
import { LabelledSlider } from "./labelled-slider.tsx";
import { Segments } from "./segments.tsx";

const MODE_HELP: Record<Mode, string> = {
  normal: "Begins from your picture. Fast, close to you.",
  vace: "Draws anew along your picture. Freer, slower.",
};

export function SettingsPanel({ snapshot, studio }: { snapshot: Snapshot; studio: Studio }) {
  const { settings } = snapshot;
  const { mode, noiseScale, contextScale, steps, size, passthrough, seed } = settings;
  return (
    <div className="flex flex-col divide-y divide-line rounded-2xl border border-line bg-panel">
      <div
        className={`flex flex-col divide-y divide-line transition-opacity ${passthrough ? "pointer-events-none opacity-35" : ""}`}
        inert={passthrough}
      >
        <Row>
          <Segments
            label="Mode"
            value={mode}
            options={[
              { value: "normal", label: "Normal" },
              { value: "vace", label: "VACE" },
            ]}
            onChange={(value) => studio.change({ mode: value })}
          />
          <Help>{MODE_HELP[mode]}</Help>
        </Row>
        <Row>
          {mode === "normal" ? (
            <LabelledSlider
              label="Noise"
              value={noiseScale}
              max={1}
              step={0.01}
              ends={["Like the input", "Like the prompt"]}
              onChange={(value) => studio.change({ noiseScale: value })}
            />
          ) : (
            <LabelledSlider
              label="Guidance by the input"
              value={contextScale}
              max={2}
              step={0.01}
              ends={["None", "Strong"]}
              onChange={(value) => studio.change({ contextScale: value })}
            />
          )}
        </Row>
        <Row>
          <Caption label="Steps" value={STEP_LISTS[steps].join(" · ")} />
          <Segments
            label="Steps"
            value={String(steps)}
            options={["1", "2", "3", "4"].map((value) => ({ value, label: value }))}
            onChange={(value) => {
              const count = Number(value);
              if (isStepCount(count)) studio.change({ steps: count });
            }}
          />
        </Row>
        <Row>
          <Caption label="Size" value="loads again" />
          <Segments<SizeChoice>
            label="Size"
            value={size}
            options={[
              { value: "default", label: "Model default" },
              { value: "576x320", label: "576 × 320" },
            ]}
            onChange={(value) => studio.change({ size: value })}
          />
        </Row>
        <div className="flex items-center justify-between gap-3 px-4 py-3 text-sm">
          <span>
            Seed <span className="figures ml-1.5 text-muted">{seed}</span>
          </span>
          <button
            type="button"
            className="flex h-8 items-center gap-1.5 rounded-full border border-line px-3 text-soft text-xs transition hover:border-edge hover:text-paper"
            onClick={() => studio.change({ seed: Math.floor(Math.random() * 1_000_000) })}
          >
            <Dices className="size-3.5" aria-hidden="true" />
            New seed
          </button>
        </div>
      </div>
      <label className="flex cursor-pointer items-center justify-between gap-3 px-4 py-3 text-sm" htmlFor="passthrough">
        <span>
          Camera test
          <span className="block text-muted text-xs">The input comes back unchanged</span>
        </span>
        <Switch.Root
          id="passthrough"
          checked={passthrough}
          onCheckedChange={(checked) => studio.change({ passthrough: checked })}
          className="h-6 w-10 shrink-0 rounded-full bg-lifted p-0.5 transition data-[state=checked]:bg-glow"
        >
          <Switch.Thumb className="block size-5 rounded-full bg-paper shadow transition-transform duration-200 data-[state=checked]:translate-x-4" />
        </Switch.Root>
      </label>
    </div>
  );
}

function Row({ children }: { children: ReactNode }) {
  return <div className="flex flex-col gap-2.5 px-4 py-3">{children}</div>;
}

function Caption({ label, value }: { label: string; value: string }) {
  return (
    <div className="flex items-baseline justify-between text-sm">
      <span>{label}</span>
      <span className="figures text-muted text-xs">{value}</span>
    </div>
  );
}

function Help({ children }: { children: ReactNode }) {
  return <p className="text-pretty text-muted text-xs leading-relaxed">{children}</p>;
}
