import type { LoadRequest } from "@everframe/protocol";
import { describe, expect, it } from "vitest";
import { type Activity, RestartPolicy } from "./restart-policy.ts";

const request = { pipelineId: "longlive", loadParams: {} } as LoadRequest;
const loaded: Activity = { name: "loaded", request };
const loading: Activity = { name: "loading", request };

function readyPolicy(): RestartPolicy {
  const policy = new RestartPolicy();
  policy.ready();
  return policy;
}

describe("RestartPolicy", () => {
  it("ends with the process's own code when it never got ready", () => {
    const death = { signal: null, livedMs: 300, activity: { name: "starting" } } as const;
    expect(new RestartPolicy().decide({ ...death, code: 3 })).toEqual({ next: "end", exitCode: 3 });
    expect(new RestartPolicy().decide({ ...death, code: 0 })).toEqual({ next: "end", exitCode: 1 });
  });

  it("starts a process that died at once again, with the pipeline that it had", () => {
    const death = { code: null, signal: "SIGKILL", livedMs: 90_000, activity: loaded } as const;
    expect(readyPolicy().decide(death)).toEqual({ next: "restart", delayMs: 0, restore: { load: request } });
  });

  it("does not load again what the process died of while loading, and says why", () => {
    const decide = (code: number | null, signal: NodeJS.Signals | null) =>
      readyPolicy().decide({ code, signal, livedMs: 90_000, activity: loading });
    expect(decide(null, "SIGKILL")).toMatchObject({
      restore: { failed: { request, cause: "SIGKILL", outOfMemory: true } },
    });
    expect(decide(1, null)).toMatchObject({ restore: { failed: { cause: "exit code 1", outOfMemory: false } } });
  });

  it("waits longer and longer, and gives the pipeline up, when deaths follow one another", () => {
    const policy = readyPolicy();
    const decisions = Array.from({ length: 9 }, () =>
      policy.decide({ code: null, signal: "SIGSEGV", livedMs: 2000, activity: loaded }),
    );
    expect(decisions.map((one) => (one.next === "restart" ? one.delayMs : -1))).toEqual([
      0, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000,
    ]);
    expect(decisions[0]).toMatchObject({ restore: { load: request } });
    expect(decisions[1]).toMatchObject({ restore: { failed: { outOfMemory: false } } });
  });

  it("forgets quick deaths once a process has lived well", () => {
    const policy = readyPolicy();
    const die = (livedMs: number) => policy.decide({ code: null, signal: "SIGSEGV", livedMs, activity: loaded });
    die(2000);
    die(2000);
    expect(die(120_000)).toMatchObject({ delayMs: 0, restore: { load: request } });
  });
});
