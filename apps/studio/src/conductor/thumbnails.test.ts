import { expect, test, vi } from "vitest";
import { PRESETS } from "../state/presets.ts";
import { initialState, type State } from "../state/state.ts";
import { Store } from "../state/store.ts";
import { Thumbnails } from "./thumbnails.ts";

test("a tour that is ended while a look is on its way ends at once, and the look before comes back", async () => {
  vi.useFakeTimers();
  try {
    const store = new Store<State>({ ...initialState(), phase: "live", isPending: true });
    const before = store.get().settings.look;
    const setLook = vi.fn();
    const thumbnails = new Thumbnails({ store, setLook, video: () => undefined });
    const ended = thumbnails.tour(PRESETS.slice(0, 2));
    expect(store.get().touring).toBe(PRESETS[0]?.id);
    await thumbnails.tour();
    await vi.advanceTimersByTimeAsync(0);
    expect(store.get().touring).toBeUndefined();
    expect(setLook).toHaveBeenLastCalledWith(before);
    await ended;
  } finally {
    vi.useRealTimers();
  }
});
