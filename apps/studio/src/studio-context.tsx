// The conductor and its store, for every component below.
import { createContext, type ReactNode, useContext, useSyncExternalStore } from "react";
import type { Studio } from "./conductor/studio.ts";
import type { State } from "./state/state.ts";

const StudioContext = createContext<Studio | undefined>(undefined);

export function StudioProvider({ studio, children }: { studio: Studio; children: ReactNode }) {
  return <StudioContext value={studio}>{children}</StudioContext>;
}

export function useStudio(): Studio {
  const studio = useContext(StudioContext);
  if (studio === undefined) throw new Error("internal: a component outside of the studio");
  return studio;
}

/** A part of the state; the component is drawn anew when that part is another one. */
export function useStore<Part>(select: (state: State) => Part): Part {
  const { store } = useStudio();
  return useSyncExternalStore(store.subscribe, () => select(store.get()));
}
