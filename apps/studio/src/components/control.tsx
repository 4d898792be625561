// One parameter, drawn by its kind as the server describes it.
import { Dices, RotateCcw } from "lucide-react";
import type { ReactNode } from "react";
import { type Control as ControlInfo, parseSteps, STEP_LISTS, stepList } from "../state/controls.ts";
import { CommitField } from "./commit-field.tsx";
import { FrameSlot } from "./frame-slot.tsx";
import { Hint } from "./hint.tsx";
import { IconButton } from "./icon-button.tsx";
import { LoraList } from "./lora-list.tsx";
import { LoraScales } from "./lora-scales.tsx";
import { Segments } from "./segments.tsx";
import { Slider } from "./slider.tsx";
import { SwitchRow } from "./switch-row.tsx";

type ControlProps = {
  control: ControlInfo;
  value: unknown;
  onChange: (value: unknown) => void;
  /** Of a button. */
  onPress?: () => void;
  hasInput?: boolean;
};

export function Control({ control, value, onChange, onPress, hasInput = true }: ControlProps) {
  const hint = (
    <>
      {control.help} <span className="text-muted">{control.acts}</span>
    </>
  );
  return (
    <Hint text={hint} side="left">
      <div>
        <Body
          control={control}
          value={value ?? control.initial}
          onChange={onChange}
          onPress={onPress}
          hasInput={hasInput}
        />
        <span className="sr-only">{hint}</span>
      </div>
    </Hint>
  );
}

type BodyProps = Omit<ControlProps, "onPress"> & { onPress: (() => void) | undefined; hasInput: boolean };

function Body({ control, value, onChange, onPress, hasInput }: BodyProps): ReactNode {
  const { key, kind, label, min, max, step, choices, ends } = control;
  switch (kind) {
    case "slider":
      return <Slider {...{ label, min, max, step, ends, onChange }} value={Number(value ?? min)} target={key} />;
    case "switch":
      return <SwitchRow label={label} checked={value === true} onChange={onChange} />;
    case "steps":
      return <Steps value={value} hasInput={hasInput} onChange={onChange} />;
    case "choice":
      return (
        <div className="flex flex-col gap-1.5 text-[0.85rem]">
          {label}
          <Segments
            label={label}
            value={String(value ?? "")}
            options={choices.map((choice) => ({ value: choice, label: choice.replaceAll("_", " ") }))}
            onChange={onChange}
          />
        </div>
      );
    case "number":
      return (
        <div className="flex items-center justify-between gap-3 text-[0.85rem]">
          {label}
          <span className={`flex items-center gap-1 ${key === "baseSeed" ? "-mr-2" : ""}`}>
            <CommitField
              label={label}
              value={value === undefined ? "" : String(value)}
              inputMode="numeric"
              className="w-24 text-right"
              parse={(text) => {
                const number = Number(text);
                return text.trim() !== "" && Number.isInteger(number) && number >= min ? number : undefined;
              }}
              onCommit={onChange}
            />
            {key === "baseSeed" && (
              <IconButton
                label="New seed"
                command="seed"
                onClick={() => onChange(Math.floor(Math.random() * 1_000_000))}
              >
                <Dices aria-hidden="true" />
              </IconButton>
            )}
          </span>
        </div>
      );
    case "image":
      return <FrameSlot control={control} />;
    case "loras":
      return key === "loras" ? <LoraList /> : <LoraScales value={value} />;
    case "button":
      return (
        <button
          type="button"
          onClick={onPress}
          className="flex h-9 w-full items-center justify-center gap-2 rounded-xl border border-line text-[0.825rem] text-soft transition hover:border-edge hover:bg-raised hover:text-paper"
        >
          <RotateCcw className="size-3.5" aria-hidden="true" />
          {label}
        </button>
      );
  }
}

/** How many denoising passes, and at which levels. */
function Steps({
  value,
  hasInput,
  onChange,
}: {
  value: unknown;
  hasInput: boolean;
  onChange: (value: unknown) => void;
}) {
  const list = Array.isArray(value) ? (value as number[]) : stepList(hasInput ? 2 : 4, hasInput);
  return (
    <div className="flex flex-col gap-1.5">
      <div className="flex items-center justify-between gap-3 text-[0.85rem]">
        Steps
        <CommitField
          label="Noise levels of the steps"
          value={list.join(" · ")}
          className="-mr-2 w-40 border-transparent bg-transparent text-right text-muted text-xs"
          parse={(text) => parseSteps(text.replaceAll("·", " "))}
          onCommit={onChange}
        />
      </div>
      <Segments
        label="Steps"
        value={String(list.length)}
        options={STEP_LISTS.map((_, i) => ({ value: String(i + 1), label: String(i + 1) }))}
        onChange={(count) => onChange([...stepList(Number(count), hasInput)])}
      />
    </div>
  );
}
