// Which source goes in when several are asked for at once, and whose troubles are told. Node has no cameras, and no stream
// can come of these: session and devices stand in for the browser's.
import { type Client, ClientError, createClient, type Input } from "@everframe/client";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { initialState, type State } from "../state/state.ts";
import { Store } from "../state/store.ts";
import { PipelineWatch } from "./pipeline-watch.ts";
import { Stream } from "./stream.ts";

const LOADED: State["pipeline"] = {
  status: "loaded",
  pipeline: "longlive",
  model: undefined,
  size: undefined,
  vaceEnabled: true,
  seed: 42,
  loras: [],
  error: undefined,
  loadingStage: undefined,
};

class FakeTrack extends EventTarget {
  readonly label: string;
  readyState = "live";
  constructor(label: string) {
    super();
    this.label = label;
  }
  getSettings() {
    return { deviceId: this.label };
  }
  stop() {
    this.readyState = "ended";
  }
}

/** Cameras that are open or being opened, by their ids. */
let cameras: Map<string, { track: FakeTrack; open: () => void }>;
/** What the session sends, newest last. */
let sent: (string | undefined)[];
let refusal: ClientError | undefined;
let store: Store<State>;
let stream: Stream;

beforeEach(() => {
  cameras = new Map();
  const getUserMedia = ({ video }: { video: { deviceId: { exact: string } } }) =>
    new Promise((resolve) => {
      const id = video.deviceId.exact;
      const track = new FakeTrack(id);
      cameras.set(id, { track, open: () => resolve({ getTracks: () => [track], getVideoTracks: () => [track] }) });
    });
  vi.stubGlobal("navigator", { mediaDevices: { getUserMedia } });
  sent = [];
  refusal = undefined;
  const session = {
    state: { name: "live" },
    output: {},
    on: () => () => {},
    set: () => Promise.resolve(),
    close: () => {},
    async replaceInput(input: Input | undefined) {
      if (refusal !== undefined) throw refusal;
      sent.push(input?.label);
    },
  };
  const connect = () => Promise.resolve(session) as unknown as ReturnType<Client["connect"]>;
  const client = { ...createClient({ url: "http://127.0.0.1:9" }), connect };
  store = new Store<State>({ ...initialState(), pipeline: LOADED });
  stream = new Stream(client, store, new PipelineWatch(client, store));
});
afterEach(() => {
  stream.close();
  vi.unstubAllGlobals();
});

/** Plays from a camera. */
async function play(deviceId: string): Promise<void> {
  const started = stream.start("camera", { deviceId });
  cameras.get(deviceId)?.open();
  await started;
}

test("a camera that opens late is given back, and the one that was chosen after it is still followed", async () => {
  void stream.start("camera", { deviceId: "slow" });
  void stream.start("camera", { deviceId: "quick" });
  const [slow, quick] = [cameras.get("slow"), cameras.get("quick")];
  quick?.open();
  await expect.poll(() => store.get().source?.label).toBe("quick");
  slow?.open();
  await expect.poll(() => slow?.track.readyState).toBe("ended");
  quick?.track.dispatchEvent(new Event("mute"));
  expect(store.get().inputTrouble).toEqual(expect.stringContaining("camera"));
});

test("under a running stream the source that was chosen last goes in, whichever opens first", async () => {
  await play("first");
  const switches = ["slow", "quick"].map((deviceId) => stream.start("camera", { deviceId }));
  cameras.get("quick")?.open();
  await expect.poll(() => store.get().source?.label).toBe("quick");
  cameras.get("slow")?.open();
  await Promise.all(switches);
  expect(sent).toEqual(["quick"]);
  expect(store.get().source?.label).toBe("quick");
  expect(cameras.get("slow")?.track.readyState).toBe("ended");
  expect(cameras.get("first")?.track.readyState).toBe("ended");
});

test("a source that cannot be sent is closed, and the one before plays on and is followed", async () => {
  await play("first");
  refusal = ClientError.connection("failed");
  await play("refused");
  expect(cameras.get("refused")?.track.readyState).toBe("ended");
  expect(store.get().source?.label).toBe("first");
  cameras.get("first")?.track.dispatchEvent(new Event("mute"));
  expect(store.get().inputTrouble).toEqual(expect.stringContaining("camera"));
});
