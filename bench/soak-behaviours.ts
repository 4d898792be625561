// What clients of every kind do to a server: the polite, the clumsy and the hostile. Each run of one ends with nothing of
// it left, and tells the faults of the server that it saw.
import { LossyPath } from "../packages/server/src/testing/lossy-path.ts";
import { mutateJson, mutateText } from "../packages/server/src/testing/mutate.ts";
import type { Random } from "../packages/server/src/testing/random.ts";
import { type Ask, type ClientOptions, sleep, TestClient } from "../packages/server/src/testing/test-client.ts";

export type Visit = {
  random: Random;
  ask: Ask;
  /** Something that the server should not have done. */
  fault: (text: string) => void;
  /** Ends this process at once, as a crash does. */
  die: () => void;
};

/** Refusals that a client has to expect on a busy server. */
const EXPECTED = new Set([
  "too_many_sessions",
  "too_many_requests",
  "pipeline_not_loaded",
  "session_not_found",
  "shutting_down",
]);
/** Pictures may pause for so long on a machine that has too much to do. */
const MAX_PAUSE_MS = 60_000;
const PARAMETERS = { prompts: "a quiet street", noise_scale: 0.5, input_mode: "video" };

export const BEHAVIOURS: Record<string, (visit: Visit) => Promise<void>> = {
  async polite(visit) {
    await withClient(visit, {}, async (client) => {
      await client.send({ noise_scale: visit.random.next(), request_id: 1 });
      await watch(visit, client, visit.random.int(1, 4));
    });
  },

  async receiver(visit) {
    await withClient(visit, { direction: "recvonly", parameters: { input_mode: "text" } }, (client) =>
      // A passthrough has nothing to show to those who send nothing.
      sleep(visit.random.int(500, 3000)).then(() => client.send({ paused: true })),
    );
  },

  async vanisher(visit) {
    await withClient(visit, {}, async (client) => {
      await watch(visit, client, 1);
      visit.die();
    });
  },

  async returner(visit) {
    const { random, ask } = visit;
    const first = await open(visit, {});
    if (first === undefined) return;
    await watch(visit, first, 1);
    const { sessionId } = first;
    const second = await open({ ...visit, ask }, { sessionId });
    if (second !== undefined) {
      if (second.sessionId !== sessionId) visit.fault("another session after coming back");
      await watch(visit, second, random.int(1, 3));
      second.close();
    }
    first.close();
  },

  async restarter(visit) {
    await withClient(visit, {}, async (client) => {
      await watch(visit, client, 1);
      await client.restartIce().catch((error: unknown) => refusal(visit, error));
      await watch(visit, client, 2);
    });
  },

  async liar({ random, ask }) {
    const id = `${random.int(0, 1e9)}`;
    const offer = { sdp: "v=0", type: "offer", initialParameters: PARAMETERS };
    for (let i = 0; i < 10; i++) {
      await drain(ask("/api/v1/webrtc/offer", { method: "POST", body: mutateJson(random, offer) }));
      await drain(
        ask(`/api/v1/webrtc/offer/${id}`, { method: "PATCH", body: mutateJson(random, { candidates: [{}] }) }),
      );
      await drain(ask(`/api/v1/webrtc/offer/${id}`, { method: "DELETE" }));
      await drain(ask(`/api/v1/${mutateText(random, "sessions/x/recording").replace(/[^\w/.%-]/g, "")}`));
      await sleep(100);
    }
  },

  async flooder(visit) {
    await withClient(visit, {}, async (client) => {
      for (let i = 0; i < 4000 && !client.isChannelClosed; i++) {
        const text = i % 500 === 0 ? "x".repeat(150_000) : mutateJson(visit.random, PARAMETERS);
        await client.send(text).catch(() => {});
        if (i % 100 === 0) await sleep(10);
      }
      await watch(visit, client, 2);
    });
  },

  async shifter(visit) {
    await withClient(visit, {}, async (client) => {
      const sizes = [
        [1, 1],
        [2, 2],
        [63, 47],
        [4096, 16],
        [16, 4096],
        [640, 480],
        [4096, 4096],
        [64, 48],
      ] as const;
      for (let i = 0; i < 6; i++) {
        const [width, height] = visit.random.pick(sizes);
        client.resize(width, height);
        // The client keeps its latest pictures, and these are large.
        for (let k = 0; k < 8; k++) {
          await sleep(100);
          client.frames.length = 0;
        }
      }
      client.resize(64, 48);
      await watch(visit, client, 2);
    });
  },

  async lossy(visit) {
    const path = new LossyPath(visit.random, 0.1);
    try {
      await withClient({ ...visit, ask: path.wrap(visit.ask) }, {}, async (client) => {
        await watch(visit, client, visit.random.int(3, 6));
      });
    } finally {
      path.close();
    }
  },

  async pauser(visit) {
    await withClient(visit, {}, async (client) => {
      for (let i = 0; i < 5; i++) {
        await client.send({ paused: i % 2 === 0 });
        await sleep(visit.random.int(50, 800));
      }
      await client.send({ paused: false });
      await watch(visit, client, 2);
    });
  },

  async sleeper(visit) {
    await withClient(visit, {}, async (client) => {
      await watch(visit, client, 1);
      client.setCamera(false);
      await sleep(visit.random.int(1000, 3000));
      client.setCamera(true);
      await watch(visit, client, 1);
    });
  },

  async channels(visit) {
    await withClient(visit, {}, async (client) => {
      for (let i = 0; i < 3; i++) {
        client.openChannel(`channel ${i}`);
        await client.send({ noise_scale: 0.3 });
      }
      await watch(visit, client, 1);
    });
  },

  async reloader({ random, ask }) {
    const size = random.pick([{}, { width: 128, height: 96 }, { width: 320, height: 176 }, { width: 17 }]);
    const pipeline_id = random.chance(0.9) ? "passthrough" : "nothing";
    await drain(
      ask("/api/v1/pipeline/load", { method: "POST", body: JSON.stringify({ pipeline_id, load_params: size }) }),
    );
    await sleep(500);
  },

  async uploader({ random, ask, fault }) {
    const png = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
    for (let i = 0; i < 4; i++) {
      const body = Uint8Array.from({ length: random.int(0, 50_000) }, (_, at) => png[at] ?? random.int(0, 255));
      const name = random.pick([`soak-${i}.png`, "../x.png", "a\0b.png", "x.exe", `${"d/".repeat(40)}x.png`]);
      await drain(ask(`/api/v1/assets?filename=${encodeURIComponent(name)}`, { method: "POST", body }));
    }
    const large = await ask("/api/v1/assets?filename=large.mp4", { method: "POST", body: new Uint8Array(51 << 20) });
    if (large.status !== 413 && large.status !== 415 && large.status !== 429)
      fault(`51 MiB were answered ${large.status}`);
    await drain(large);
    for (let i = 0; i < 4; i++) await drain(ask(`/api/v1/assets/soak-${i}.png`, { method: "DELETE" }));
  },

  async painter(visit) {
    await withClient(visit, {}, async (client) => {
      await client.send({ vace_ref_images: ["/etc/passwd", "../../x.png", "soak-0.png"], prompts: "x".repeat(10_000) });
      await watch(visit, client, 1);
    });
  },

  async recorder(visit) {
    await withClient(visit, {}, async (client) => {
      const path = `/api/v1/sessions/${client.sessionId}/recording`;
      await drain(visit.ask(`${path}/start?format=webm`, { method: "POST" }));
      await watch(visit, client, 2);
      if (visit.random.chance(0.5)) await drain(visit.ask(`${path}/stop`, { method: "POST" }));
      await drain(visit.ask(path));
      await drain(visit.ask(`/api/v1/sessions/${client.sessionId}/snapshot`));
    });
  },
};

async function open(visit: Visit, options: Omit<ClientOptions, "ask">): Promise<TestClient | undefined> {
  try {
    return await TestClient.connect({ ask: visit.ask, parameters: PARAMETERS, ...options });
  } catch (error) {
    refusal(visit, error);
    return undefined;
  }
}

async function withClient(
  visit: Visit,
  options: Omit<ClientOptions, "ask">,
  act: (client: TestClient) => Promise<void>,
): Promise<void> {
  const client = await open(visit, options);
  if (client === undefined) return;
  try {
    await act(client);
  } finally {
    client.close();
  }
}

/** Watches the pictures for some seconds. A session that stops has to say why. */
async function watch({ fault }: Visit, client: TestClient, seconds: number): Promise<void> {
  const end = performance.now() + seconds * 1000;
  let last = { received: client.received, atMs: performance.now() };
  for (;;) {
    const now = performance.now();
    if (client.told("stream_stopped").length > 0) return;
    if (client.isChannelClosed) {
      // The word may be on its way still.
      await sleep(1000);
      if (client.told("stream_stopped").length === 0) fault("a session ended without a word");
      return;
    }
    if (client.received > last.received) {
      last = { received: client.received, atMs: now };
      if (now > end) return;
    }
    if (now - last.atMs > MAX_PAUSE_MS) {
      const told = client.told("pipeline_reloading").length > client.told("pipeline_reloaded").length;
      if (!told && client.told("error").length === 0) fault(`no picture for ${MAX_PAUSE_MS} ms and no word`);
      return;
    }
    await sleep(100);
  }
}

/** A client that is turned away has to learn why, in the words of the catalogue. */
function refusal({ fault }: Visit, error: unknown): void {
  const text = error instanceof Error ? error.message : String(error);
  let code = "";
  try {
    code = String((JSON.parse(text) as { code?: unknown }).code);
  } catch {
    // no answer of the server at all
  }
  if (!EXPECTED.has(code)) fault(`refused: ${text.slice(0, 300)}`);
}

async function drain(asked: Response | Promise<Response>): Promise<void> {
  await (await asked).arrayBuffer();
}
