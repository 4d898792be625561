// The page: what goes in and how on the left, what comes out and why on the right; on a phone the output comes first.
import { useSyncExternalStore } from "react";
import { FiguresLine } from "./components/figures-line.tsx";
import { Header } from "./components/header.tsx";
import { InputCard } from "./components/input-card.tsx";
import { PresetRow } from "./components/preset-row.tsx";
import { PromptBox } from "./components/prompt-box.tsx";
import { SettingsPanel } from "./components/settings-panel.tsx";
import { Stage } from "./components/stage.tsx";
import type { Studio } from "./studio.ts";

export function App({ studio }: { studio: Studio }) {
  const snapshot = useSyncExternalStore(studio.subscribe, studio.snapshot);
  const { settings } = snapshot;
  const applyPrompt = (prompt: string) => studio.change({ prompt });
  return (
    <div className="mx-auto flex min-h-dvh max-w-[1760px] flex-col overflow-x-clip px-4 pb-5 sm:px-6 lg:px-8">
      <Header snapshot={snapshot} />
      <main className="grid flex-1 gap-4 lg:grid-cols-[minmax(300px,350px)_minmax(0,1fr)] lg:gap-6">
        <section className="flex min-w-0 flex-col gap-3 lg:order-2" aria-label="Output">
          <Stage snapshot={snapshot} studio={studio} />
          <div
            className={`flex flex-col gap-3 transition-opacity ${settings.passthrough ? "opacity-35" : ""}`}
            inert={settings.passthrough}
          >
            <PromptBox applied={settings.prompt} live={snapshot.phase === "live"} onApply={applyPrompt} />
            <PresetRow applied={settings.prompt} onApply={applyPrompt} />
          </div>
          <FiguresLine stats={snapshot.stats} pipeline={snapshot.pipeline} />
        </section>
        <section className="flex min-w-0 flex-col gap-4 lg:order-1" aria-label="Input and settings">
          <InputCard snapshot={snapshot} studio={studio} />
          <SettingsPanel snapshot={snapshot} studio={studio} />
        </section>
      </main>
    </div>
  );
}
