import { type LoadParams, parseLoadRequest } from "@everframe/protocol";
import { describe, expect, it } from "vitest";
import { createLogger } from "../logger.ts";
import { passthrough } from "./passthrough.ts";
import type { LoadContext, Pipeline, PipelineDefinition } from "./pipeline.ts";
import { PipelineManager } from "./pipeline-manager.ts";

/** Passthrough whose loads end when the test says, and which tells what happens to it. */
function heldPipeline(events: string[], weights: () => string) {
  const loads: { params: LoadParams; context: LoadContext; finish: (error?: Error) => void }[] = [];
  const definition: PipelineDefinition = {
    id: "held",
    // The seed stands for the size, so that a test can name one that does not fit.
    needs: ({ seed }) => needsOf(seed),
    weights,
    async load(params, context): Promise<Pipeline> {
      events.push(`load ${params.seed}`);
      await new Promise<void>((resolve, reject) => {
        loads.push({ params, context, finish: (error) => (error === undefined ? resolve() : reject(error)) });
        context.signal.addEventListener("abort", () => reject(context.signal.reason));
      });
      const pipeline = await passthrough.load(params, context);
      return {
        ...pipeline,
        id: "held",
        needs: needsOf(params.seed),
        weights: weights(),
        close: async () => {
          events.push(`close ${params.seed}`);
        },
      };
    },
  };
  return { definition, loads };
}

function needsOf(seed: number) {
  return { loadBytes: seed, streamBytes: seed / 10 };
}

function rig() {
  const events: string[] = [];
  let weights = "small";
  const { definition, loads } = heldPipeline(events, () => weights);
  const manager = new PipelineManager({
    definitions: [passthrough, definition],
    log: createLogger("silent"),
    users: {
      release: async (next) => void events.push(`release for ${next}`),
      adopt: async ({ loadParams }) => void events.push(`adopt ${loadParams.seed}`),
      end: async (reason, error) => void events.push(`end ${reason}${error === undefined ? "" : `: ${error.code}`}`),
    },
    availableBytes: () => 1000,
  });
  const load = (seed: number, id = "held") =>
    manager.load(parseLoadRequest({ pipeline_id: id, load_params: { seed } }));
  /** Lets a load begin that waits for nothing but its turn. */
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  const loaded = async (seed: number) => {
    load(seed);
    await turn();
    loads.at(-1)!.finish();
    await manager.settled();
  };
  const arrive = (others: string) => {
    weights = others;
  };
  return { manager, load, loaded, loads, events, turn, arrive };
}

describe("PipelineManager", () => {
  it("[LOAD7] is loading before load returns, and loaded after", async () => {
    const { manager, load, loads, turn } = rig();
    load(1);
    expect(manager.status()).toMatchObject({ status: "loading", error: null });
    expect(() => manager.pipeline).toThrow("Pipeline not loaded");
    await turn();
    loads[0]!.context.onStage("reading weights");
    expect(manager.status().loading_stage).toBe("reading weights");
    loads[0]!.finish();
    await manager.settled();
    expect(manager.status()).toMatchObject({ status: "loaded", pipeline_id: "held", load_params: { seed: 1 } });
  });

  it("[LOAD8] does nothing for the same load again, loading or loaded", async () => {
    const { manager, load, events, loaded } = rig();
    load(1);
    await loaded(1);
    load(1);
    expect(manager.status().status).toBe("loaded");
    expect(events).toEqual(["release for held", "load 1", "adopt 1"]);
  });

  it("[LOAD9] takes the old pipeline from the sessions and frees it before it loads another", async () => {
    const { manager, load, loads, events, turn, loaded } = rig();
    await loaded(1);
    load(2);
    expect(manager.status().status).toBe("loading");
    await turn();
    loads[1]!.finish();
    await manager.settled();
    expect(events.slice(3)).toEqual(["release for held", "close 1", "load 2", "adopt 2"]);
  });

  it("[LOAD8] loads the same again when other weights have come", async () => {
    const { manager, load, loads, events, turn, arrive, loaded } = rig();
    await loaded(1);
    load(1);
    expect(manager.status().status).toBe("loaded");
    arrive("large");
    load(1);
    expect(manager.status().status).toBe("loading");
    await turn();
    loads[1]!.finish();
    await manager.settled();
    load(1);
    expect(events.filter((event) => event.startsWith("load"))).toEqual(["load 1", "load 1"]);
  });

  it("[LOAD10] gives up a running load for a later one, and skips those between", async () => {
    const { manager, load, loads, events, turn } = rig();
    load(1);
    await turn();
    load(2);
    load(3);
    await turn();
    loads.at(-1)!.finish();
    await manager.settled();
    expect(events.filter((event) => event.startsWith("load"))).toEqual(["load 1", "load 3"]);
    expect(events.at(-1)).toBe("adopt 3");
    expect(manager.status()).toMatchObject({ status: "loaded", load_params: { seed: 3 } });
  });

  it("[LOAD11] keeps the error, always with a text, until the next load", async () => {
    const { manager, load, loads, events, turn } = rig();
    load(1);
    await turn();
    loads[0]!.finish(new Error("the disk is full"));
    await manager.settled();
    expect(events.at(-1)).toBe("end pipeline_failed: load_failed");
    for (let i = 0; i < 2; i++) {
      expect(manager.status()).toMatchObject({
        status: "error",
        pipeline_id: null,
        error: "Failed to load pipeline held: the disk is full",
      });
    }
    load(1);
    expect(manager.status()).toMatchObject({ status: "loading", error: null });
    await turn();
    loads[1]!.finish();
    await manager.settled();
    expect(manager.status().status).toBe("loaded");
  });

  it("tells the sessions when the loaded pipeline dies, and loads again when asked", async () => {
    const { manager, load, loads, events, turn, loaded } = rig();
    await loaded(1);
    loads[0]!.context.onCrash(new Error("segmentation fault"));
    expect(manager.status()).toMatchObject({ status: "error", error: expect.stringContaining("segmentation fault") });
    expect(events.at(-1)).toBe("end pipeline_failed: load_failed");
    load(1);
    await turn();
    loads[1]!.finish();
    await manager.settled();
    expect(manager.status().status).toBe("loaded");
  });

  it("refuses unknown pipelines and leaves the state alone", () => {
    const { manager, load } = rig();
    expect(() => load(1, "nope")).toThrow(/does not exist. Load one of: passthrough, held/);
    expect(manager.status().status).toBe("not_loaded");
  });

  it("gives up a running load when it closes, and takes none after", async () => {
    const { manager, load, events, turn } = rig();
    load(1);
    await turn();
    await manager.close();
    expect(manager.status().status).toBe("not_loaded");
    expect(() => load(2)).toThrow(/shutting down/);
    expect(events).toEqual(["release for held", "load 1", "end server_shutdown"]);
  });

  it("ends sessions before it frees the pipeline when it closes", async () => {
    const { manager, events, loaded } = rig();
    await loaded(1);
    await manager.close();
    expect(events.slice(-2)).toEqual(["end server_shutdown", "close 1"]);
  });

  it("[LOAD15] refuses before it starts what cannot fit, counting what the loaded one gives back, and keeps that", async () => {
    const { manager, load, loads, events, turn } = rig();
    expect(() => load(2_000_000_000)).toThrow(/^Out of memory: held needs about 2\.2 GB and 0\.0 GB are free\. Load /);
    expect(manager.status().status).toBe("not_loaded");
    load(500);
    await turn();
    loads[0]!.finish();
    await manager.settled();
    // 1000 bytes are free and 500 come back: 1100 fit, 1650 do not.
    expect(() => load(1500)).toThrow(/^Out of memory/);
    expect(manager.status()).toMatchObject({ status: "loaded", load_params: { seed: 500 } });
    expect(events).not.toContain("close 500");
    load(900);
    await turn();
    loads[1]!.finish();
    await manager.settled();
    expect(manager.status()).toMatchObject({ status: "loaded", load_params: { seed: 900 } });
  });

  it("[LOAD15] says so in the status when what waited for its turn cannot fit", async () => {
    const { manager, load, turn } = rig();
    load(1);
    await turn();
    load(5000);
    await manager.settled();
    expect(manager.status()).toMatchObject({ status: "error", error: expect.stringMatching(/^Out of memory/) });
  });
});
