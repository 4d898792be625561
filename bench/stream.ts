// The whole product over loopback WebRTC with a real browser: what a person would see, measured in the page.

import { join } from "node:path";
import type { Page } from "playwright-core";
import { launchBrowser, openGuidePage } from "../e2e/harness/browser.ts";
import { GuideDriver, prompt } from "../e2e/harness/guide.ts";
import { ROOT, type RunningServer, startServer } from "../e2e/harness/server.ts";
import { type EngineCase, peakMemoryMb, residentMemoryMb } from "./engine.ts";
import { median, type Row } from "./table.ts";

type CounterWindow = {
  Counter: { stream(): MediaStream; watch(video: HTMLVideoElement): void; latencies: number[]; distinct(): number };
  Guide: { output: HTMLVideoElement; start(stream: MediaStream, parameters: object): Promise<string> };
};

const live = { input_mode: "video", denoising_step_list: [700, 500], ...prompt("photo") };

/** First frame, sustained rate, latency and responsiveness for one size and mode, over `seconds` of streaming. */
export async function benchStream(item: EngineCase, seconds: number): Promise<Row> {
  const [server, browser] = await Promise.all([startServer(), launchBrowser()]);
  try {
    const page = await openGuidePage(browser, server.url);
    await page.addScriptTag({ path: join(ROOT, "bench/page/counter.js") });
    const guide = new GuideDriver(page);
    await guide.load({ width: item.width, height: item.height, seed: 42, vace_enabled: true });
    const offered = Date.now();
    await startCounting(page, { ...live, vace_enabled: item.vace, noise_scale: 0.5 });
    await guide.waitFrames(1, 60_000);
    const firstFrameMs = Date.now() - offered;
    await guide.waitFrames(36, 60_000);

    await page.evaluate(() => {
      const { Counter } = window as unknown as CounterWindow;
      Counter.latencies.length = 0;
    });
    const [framesBefore, since] = [await guide.distinctFrames(), Date.now()];
    const health = await sampleHealth(server, seconds * 1000);
    const elapsedS = (Date.now() - since) / 1000;
    const frames = (await guide.distinctFrames()) - framesBefore;
    const latencies = await page.evaluate(() => (window as unknown as CounterWindow).Counter.latencies);
    return {
      case: item.name,
      "first frame ms": firstFrameMs,
      "distinct frames/s": frames / elapsedS,
      "latency ms": median(latencies),
      "latency read": latencies.length,
      "/health ms": median(health),
      "server peak MB": peakMemoryMb(server.serverPid()),
    };
  } finally {
    await browser.close();
    await server.stop();
  }
}

/** Resident memory of the server after every tenth of `cycles` connects and closes. */
export async function benchLeak(cycles: number): Promise<Row[]> {
  const [server, browser] = await Promise.all([startServer(), launchBrowser()]);
  try {
    const page = await openGuidePage(browser, server.url);
    const guide = new GuideDriver(page);
    await guide.load({ seed: 42, vace_enabled: true });
    const rows: Row[] = [];
    for (let cycle = 1; cycle <= cycles; cycle++) {
      await guide.start({ ...live, vace_enabled: false });
      await guide.waitFrames(2, 60_000);
      await guide.stop();
      if (cycle % Math.ceil(cycles / 10) === 0) {
        rows.push({ cycles: cycle, "resident MB": residentMemoryMb(server.serverPid()) });
      }
    }
    return rows;
  } finally {
    await browser.close();
    await server.stop();
  }
}

function startCounting(page: Page, parameters: object): Promise<void> {
  return page.evaluate(async (p) => {
    const { Counter, Guide } = window as unknown as CounterWindow;
    Counter.watch(Guide.output);
    await Guide.start(Counter.stream(), p);
  }, parameters);
}

/** Round-trip times of GET /health in ms, taken every 100 ms while the stream runs. */
async function sampleHealth(server: RunningServer, durationMs: number): Promise<number[]> {
  const times: number[] = [];
  const end = Date.now() + durationMs;
  while (Date.now() < end) {
    const start = performance.now();
    await (await fetch(`${server.url}/health`, { headers: { connection: "close" } })).text();
    times.push(performance.now() - start);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return times;
}
