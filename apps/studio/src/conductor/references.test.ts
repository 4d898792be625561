import { createClient } from "@everframe/client";
import { expect, test, vi } from "vitest";
import { initialState, type State } from "../state/state.ts";
import { Store } from "../state/store.ts";
import { References } from "./references.ts";

/** What is left of a reference from an earlier visit when the server answers so. */
async function refreshed(status: number, code: string): Promise<string[]> {
  const state = initialState();
  const look = { ...state.settings.look, references: [{ path: "mona.png", name: "Mona" }] };
  const store = new Store<State>({ ...state, settings: { ...state.settings, look } });
  const fetch = async () => new Response(JSON.stringify({ detail: "No.", code }), { status });
  const references = new References({
    client: createClient({ url: "http://127.0.0.1:9", fetch }),
    store,
    setLook: (next) => store.update({ settings: { ...store.get().settings, look: next } }),
    send: () => {},
  });
  await references.refresh();
  return store.get().settings.look.references.map(({ path }) => path);
}

test("a reference that the server no longer has is forgotten", async () => {
  expect(await refreshed(404, "asset_not_found")).toEqual([]);
});

test("a server that has trouble of its own costs no reference", async () => {
  vi.spyOn(console, "warn").mockImplementation(() => {});
  expect(await refreshed(503, "shutting_down")).toEqual(["mona.png"]);
  vi.restoreAllMocks();
});
