// The page: a first screen until something was started, then the studio; the models on a page of their own.
import { Tooltip } from "radix-ui";
import { useEffect } from "react";
import { Dialogs } from "./components/dialogs.tsx";
import { ModelsPage } from "./components/models-page.tsx";
import { TopBar } from "./components/top-bar.tsx";
import { Welcome } from "./components/welcome.tsx";
import { Workspace } from "./components/workspace.tsx";
import { runCommand } from "./conductor/commands.ts";
import { takeDroppedFiles } from "./conductor/dropped-files.ts";
import type { Studio } from "./conductor/studio.ts";
import { commandOf } from "./state/shortcuts.ts";
import { StudioProvider, useStore } from "./studio-context.tsx";

const HINT_DELAY_MS = 450;

export function App({ studio }: { studio: Studio }) {
  useKeys(studio);
  useEffect(() => takeDroppedFiles(studio), [studio]);
  return (
    <StudioProvider studio={studio}>
      <Tooltip.Provider delayDuration={HINT_DELAY_MS} skipDelayDuration={150}>
        <Page />
        <Dialogs />
      </Tooltip.Provider>
    </StudioProvider>
  );
}

function Page() {
  const page = useStore((state) => state.page);
  const hasStarted = useStore((state) => state.hasStarted);
  const isWelcome = page === "studio" && !hasStarted;
  return (
    <div
      className={`relative flex flex-col overflow-x-clip ${isWelcome || page === "models" ? "h-dvh min-h-[34rem]" : "min-h-dvh lg:h-dvh lg:min-h-[36rem]"}`}
    >
      {isWelcome && <Welcome />}
      <TopBar isBare={isWelcome} />
      {page === "models" ? <ModelsPage /> : !isWelcome && <Workspace />}
    </div>
  );
}

/** Keys act unless somebody writes, or the element in focus has its own meaning for them. */
function useKeys(studio: Studio): void {
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      const { target } = event;
      const command = commandOf(event);
      if (command === undefined || event.defaultPrevented || !(target instanceof HTMLElement)) return;
      if (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName)) {
        if (command === "leave") target.blur();
        return;
      }
      const { page, dialog, hasStarted } = studio.store.get();
      const isOwnKey =
        (event.key === " " && target.closest("button, a, summary, [role]") !== null) ||
        (event.key.startsWith("Arrow") && target.closest("[role], [data-keys]") !== null);
      if (
        isOwnKey ||
        command === "leave" ||
        page !== "studio" ||
        !hasStarted ||
        (dialog !== undefined && command !== "help")
      )
        return;
      event.preventDefault();
      runCommand(studio, command);
    };
    window.addEventListener("keydown", press);
    return () => window.removeEventListener("keydown", press);
  }, [studio]);
}
