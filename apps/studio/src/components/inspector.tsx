// The panels beside the picture: what is played, which model plays it, and how it goes. Where there is room, the figures
// that matter most stand below them all the time.
import { Tabs } from "radix-ui";
import type { ReactNode } from "react";
import type { Panel } from "../state/state.ts";
import { useStore, useStudio } from "../studio-context.tsx";
import { ModelPanel } from "./model-panel.tsx";
import { PlayPanel } from "./play-panel.tsx";
import { SignalsPanel } from "./signals-panel.tsx";
import { currentAdvice } from "./stage-status.tsx";

const TABS: readonly { value: Panel; label: string; panel: ReactNode }[] = [
  { value: "play", label: "Play", panel: <PlayPanel /> },
  { value: "model", label: "Model", panel: <ModelPanel /> },
  { value: "signals", label: "Signals", panel: <SignalsPanel /> },
];
const PANEL = "flex min-h-0 flex-col overflow-hidden rounded-2xl border border-line bg-panel lg:rounded-3xl";

export function Inspector() {
  const isSignals = useStore((state) => state.panel === "signals");
  return (
    <div className="flex min-h-0 flex-col gap-3 lg:gap-4">
      <SettingsTabs />
      {!isSignals && (
        <section aria-label="Signals" className={`${PANEL} hidden shrink-0 p-5 tall:flex`}>
          <SignalsPanel isShort />
        </section>
      )}
    </div>
  );
}

function SettingsTabs() {
  const studio = useStudio();
  const open = useStore((state) => state.panel);
  const hasAdvice = useStore((state) => currentAdvice(state) !== undefined);
  return (
    <Tabs.Root
      value={open}
      onValueChange={(panel) => studio.store.update({ panel: panel as Panel })}
      className={`${PANEL} flex-1`}
      asChild
    >
      <aside aria-label="Settings">
        <Tabs.List
          aria-label="Settings"
          className="grid shrink-0 auto-cols-fr grid-flow-col gap-1 border-line border-b p-2"
        >
          {TABS.map(({ value, label }) => (
            <Tabs.Trigger
              key={value}
              value={value}
              className="relative h-9 rounded-xl text-[0.85rem] text-muted transition hover:text-paper data-[state=active]:bg-raised data-[state=active]:text-paper"
            >
              {label}
              {value === "signals" && hasAdvice && (
                <span className="absolute top-2 ml-1 inline-block size-1.5 rounded-full bg-glow" />
              )}
            </Tabs.Trigger>
          ))}
        </Tabs.List>
        {TABS.map(({ value, panel }) => (
          <Tabs.Content
            key={value}
            value={value}
            className="thin-scroll min-h-0 flex-1 overflow-y-auto p-4 outline-none lg:p-5"
          >
            {panel}
          </Tabs.Content>
        ))}
      </aside>
    </Tabs.Root>
  );
}
