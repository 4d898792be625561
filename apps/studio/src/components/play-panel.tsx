// What is played: the mode, the parameters that act now, the references.
import { liveControls } from "../state/controls.ts";
import { MAX_TRANSITION_CHUNKS } from "../state/look.ts";
import { useStore, useStudio } from "../studio-context.tsx";
import { Control } from "./control.tsx";
import { Hint } from "./hint.tsx";
import { ModeSwitch } from "./mode-switch.tsx";
import { ReferenceShelf } from "./reference-shelf.tsx";
import { Slider } from "./slider.tsx";

/** Switches and buttons that are seldom needed stand last, apart. */
const SELDOM = new Set(["manageCache", "resetCache", "noiseController"]);

export function PlayPanel() {
  const studio = useStudio();
  const look = useStore(({ settings }) => settings.look);
  const schema = useStore(({ schemas, settings }) => schemas[settings.load.pipeline]);
  const hasInput = useStore(({ kind }) => kind !== "none");
  const hasLoras = useStore(({ pipeline }) => (pipeline?.loras.length ?? 0) > 0);
  const chunkMs = useStore(({ history }) => history.at(-1)?.chunkMs);
  if (schema !== undefined && !schema.supports_prompts) {
    return (
      <p className="text-pretty text-muted text-sm leading-relaxed">
        This pipeline gives the input back unchanged: there is nothing to set.
      </p>
    );
  }
  const controls = liveControls(schema?.parameters ?? [], {
    look,
    hasInput,
    hasVace: schema?.supports_vace ?? true,
    hasLoras,
  });
  const frames = controls.filter(({ kind }) => kind === "image");
  const draw = (list: typeof controls) =>
    list.map((control) => (
      <Control
        key={control.key}
        control={control}
        value={look.values[control.key]}
        hasInput={hasInput}
        onChange={(value) => studio.setValue(control.key, value)}
        onPress={() => studio.resetCache()}
      />
    ));
  const over = look.transitionChunks;
  const overText =
    over === 0
      ? "at once"
      : `${over} chunks${chunkMs === undefined ? "" : `, about ${Math.round((over * chunkMs) / 1000)} s`}`;
  return (
    <div className="flex flex-col gap-5">
      <ModeSwitch />
      {draw(controls.filter(({ key, kind }) => !SELDOM.has(key) && kind !== "image"))}
      <Hint text="How slowly one prompt turns into the next. Acts from the next prompt on." side="left">
        <div>
          <Slider
            label="Change over"
            value={over}
            max={MAX_TRANSITION_CHUNKS}
            step={1}
            text={overText}
            target="transitionChunks"
            ends={["A cut", "A slow fade"]}
            onChange={(transitionChunks) => studio.patchLook({ transitionChunks })}
          />
        </div>
      </Hint>
      {look.mode === "vace" && <ReferenceShelf />}
      {frames.length > 0 && <div className="grid grid-cols-2 gap-3">{draw(frames)}</div>}
      <div className="flex flex-col gap-3.5 border-line border-t pt-4">
        {draw(controls.filter(({ key }) => SELDOM.has(key)))}
      </div>
    </div>
  );
}
