// Pictures of every screen and state of the studio, at the widths of a phone, a laptop and a 4K screen:
// `npm run screenshots -- --to DIR [--only NAME,NAME] [--widths 390,1280]`. The pictures are real: the server runs, the
// model makes what is seen.
import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Browser, Page } from "playwright-core";
import { launchBrowser } from "../e2e/harness/browser.ts";
import { writeNoiseLora } from "../e2e/harness/lora.ts";
import { startServer } from "../e2e/harness/server.ts";
import { loadSmall } from "../e2e/harness/studio-page.ts";

type Shot = {
  name: string;
  /** Brings a freshly opened page into the state. */
  prepare: (page: Page) => Promise<void>;
  /** What the browser remembers. */
  memory?: Record<string, unknown>;
  /** The state needs the page's video to run. */
  isLive?: boolean;
};

const SIZES: Record<number, { height: number; scale: number }> = {
  390: { height: 844, scale: 2 },
  1280: { height: 800, scale: 1 },
  2560: { height: 1440, scale: 1 },
};

const LORA = "ink-wash.safetensors";
const options = readOptions(process.argv.slice(2));
mkdirSync(options.to, { recursive: true });

const button = (page: Page, name: string) => page.getByRole("button", { name, exact: true });

async function live(page: Page, prompt = "oil painting", settleMs = 4_500): Promise<void> {
  await page.getByRole("button", { name: "Sample clip" }).click();
  await page.locator('[data-phase="live"]').waitFor({ timeout: 90_000 });
  await page.getByLabel("Prompt", { exact: true }).fill(prompt);
  await page.keyboard.press("Enter");
  await page.waitForTimeout(settleMs);
}

const prompts = (...texts: string[]) => texts.map((text, i) => ({ text, weight: i === 0 ? 1 : 0.6 }));
const timeline = {
  lengthS: 30,
  loop: true,
  events: [
    { atS: 0, prompts: prompts("oil painting") },
    { atS: 6, prompts: prompts("stained glass"), values: { noiseScale: 0.8 } },
    { atS: 13, values: { noiseScale: 0.45 } },
    { atS: 16, prompts: prompts("gold", "fire and ember"), transitionChunks: 4 },
    { atS: 24, prompts: prompts("pencil sketch"), mode: "vace" },
  ].map(({ atS, ...patch }, id) => ({ id, atS, patch })),
};

const SHOTS: readonly Shot[] = [
  { name: "first-start", prepare: (page) => page.waitForTimeout(1_500) },
  {
    name: "camera-denied",
    prepare: async (page) => {
      await page.evaluate(() => {
        navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("no", "NotAllowedError"));
      });
      await button(page, "Start with my camera").click();
      await page.waitForTimeout(800);
    },
  },
  {
    name: "no-server",
    prepare: async (page) => {
      await page.route("**/api/**", (route) => route.abort());
      await page.reload();
      await page.waitForTimeout(1_200);
    },
  },
  {
    name: "opening",
    prepare: async (page) => {
      await page.evaluate(() => {
        navigator.mediaDevices.getUserMedia = () => new Promise(() => {});
      });
      await button(page, "Start with my camera").click();
      await page.waitForTimeout(800);
    },
  },
  { name: "live", isLive: true, prepare: (page) => live(page) },
  {
    name: "live-mix",
    isLive: true,
    prepare: async (page) => {
      await live(page, "gold", 500);
      await button(page, "Mix with a second prompt").click();
      await button(page, "Add a prompt").click();
      await page.waitForTimeout(3_000);
    },
  },
  {
    name: "live-split",
    isLive: true,
    memory: { "everframe.settings.2": { view: { layout: "split" } } },
    prepare: (page) => live(page, "cyberpunk neon"),
  },
  {
    name: "live-side",
    isLive: true,
    memory: { "everframe.settings.2": { view: { layout: "side" } } },
    prepare: (page) => live(page, "anime"),
  },
  {
    name: "live-vace",
    isLive: true,
    memory: { "everframe.settings.2": { look: { mode: "vace" } } },
    prepare: async (page) => {
      await live(page, "watercolour");
      await page.getByRole("button", { name: "Take the input as a reference" }).click();
      await page.waitForTimeout(2_500);
    },
  },
  {
    name: "live-files",
    isLive: true,
    memory: { "everframe.settings.2": { look: { mode: "vace" } } },
    prepare: async (page) => {
      await live(page, "watercolour", 500);
      await page.getByRole("tab", { name: "Model" }).click();
      await page.getByLabel("Name of a LoRA file").fill(LORA);
      await page.keyboard.press("Enter");
      await page.getByRole("tab", { name: "Play" }).click();
      const slider = page.getByRole("slider", { name: "ink-wash" });
      await slider.waitFor({ timeout: 60_000 });
      await slider.press("Home");
      for (let i = 0; i < 22; i++) await slider.press("ArrowRight");
      await button(page, "Take the input as a reference").click();
      await button(page, "Take the input as the first frame").click();
      await page.getByRole("img", { name: "Snapshot" }).nth(1).waitFor();
      await page.waitForTimeout(2_500);
    },
  },
  {
    name: "model-loras",
    isLive: true,
    prepare: async (page) => {
      await live(page, "porcelain", 500);
      await page.getByRole("tab", { name: "Model" }).click();
      await page.getByLabel("Name of a LoRA file").fill(LORA);
      await page.keyboard.press("Enter");
      await button(page, "Take ink-wash out").scrollIntoViewIfNeeded();
      await page.waitForTimeout(3_000);
      await page.getByLabel("Name of a LoRA file").scrollIntoViewIfNeeded();
    },
  },
  {
    name: "lora-missing",
    isLive: true,
    prepare: async (page) => {
      await live(page, "porcelain", 500);
      await page.getByRole("tab", { name: "Model" }).click();
      await page.getByLabel("Name of a LoRA file").fill("nowhere.safetensors");
      await page.keyboard.press("Enter");
      await page.getByRole("alert").waitFor({ timeout: 30_000 });
      await page.waitForTimeout(800);
    },
  },
  {
    name: "timeline",
    isLive: true,
    memory: { "everframe.timeline": timeline, "everframe.settings.2": { view: { timeline: true } } },
    prepare: async (page) => {
      await live(page, "oil painting", 500);
      await button(page, "Play the timeline").click();
      await page.waitForTimeout(4_500);
    },
  },
  {
    name: "signals",
    isLive: true,
    prepare: async (page) => {
      await live(page, "stained glass", 500);
      await page.getByRole("tab", { name: "Signals" }).click();
      await page.waitForTimeout(15_000);
    },
  },
  {
    name: "model",
    isLive: true,
    prepare: async (page) => {
      await live(page, "porcelain", 3_000);
      await page.getByRole("tab", { name: "Model" }).click();
      await page.waitForTimeout(600);
    },
  },
  {
    name: "looks",
    isLive: true,
    prepare: async (page) => {
      await live(page, "mosaic", 500);
      await button(page, "All looks").click();
      await page.waitForTimeout(700);
    },
  },
  {
    name: "keys",
    isLive: true,
    prepare: async (page) => {
      await live(page, "galaxy", 2_000);
      await page.locator("h1").click();
      await page.keyboard.press("?");
      await page.waitForTimeout(700);
    },
  },
  {
    name: "midi",
    isLive: true,
    prepare: async (page) => {
      // As text: what the compiler adds to functions is not there in the page.
      await page.evaluate(
        `navigator.requestMIDIAccess = () => Promise.resolve({ inputs: new Map([["1", { name: "nanoKONTROL2" }]]) })`,
      );
      await live(page, "hologram", 1_500);
      if ((page.viewportSize()?.width ?? 0) < 640) return;
      await button(page, "MIDI controllers").click();
      await page.waitForTimeout(700);
    },
  },
  {
    name: "reconnecting",
    isLive: true,
    prepare: async (page) => {
      await live(page, "oil painting", 3_000);
      process.kill(server.serverPid(), "SIGSTOP");
      await page.getByText("The connection was lost").waitFor({ timeout: 20_000 });
      await page.waitForTimeout(1_500);
    },
  },
  {
    name: "held",
    isLive: true,
    prepare: async (page) => {
      await live(page, "woodcut", 3_000);
      await button(page, "Hold the picture").click();
      await page.waitForTimeout(1_500);
    },
  },
  {
    name: "stopped",
    isLive: true,
    prepare: async (page) => {
      await live(page, "photo", 500);
      await button(page, "Stop").click();
      await page.waitForTimeout(800);
    },
  },
  {
    name: "models",
    prepare: async (page) => {
      await page.getByRole("link", { name: "Models" }).click();
      await page.waitForTimeout(2_000);
    },
  },
  {
    name: "models-download",
    prepare: async (page) => {
      await pretendDownload(page);
      await page.getByRole("link", { name: "Models" }).click();
      await page.waitForTimeout(2_000);
    },
  },
];

/** A download of sixteen gigabytes that is under way, without one. */
async function pretendDownload(page: Page): Promise<void> {
  const progress = {
    is_downloading: true,
    percentage: 37.4,
    current_artifact: "WanVideo_comfy",
    current_file: "umt5-xxl-enc-fp8_e4m3fn.safetensors",
    downloaded_bytes: 6.05e9,
    total_bytes: 16.2e9,
    note: null,
    error: null,
  };
  await page.route("**/api/v1/models/status?pipeline_id=longlive", (route) =>
    route.fulfill({ json: { downloaded: false, missing: ["LongLive-1.3B/models/longlive_base.pt"], progress } }),
  );
  await page.route("**/api/v1/models/download", (route) => route.fulfill({ json: { message: "Begun." } }));
}

async function take(browser: Browser, url: string, shot: Shot, width: number): Promise<void> {
  const { height, scale } = SIZES[width] ?? { height: 900, scale: 1 };
  const context = await browser.newContext({ viewport: { width, height }, deviceScaleFactor: scale });
  const page = await context.newPage();
  page.on("pageerror", (error) => console.error(`${shot.name} ${width}: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() === "error" && !message.text().includes("Failed to load resource"))
      console.error(`${shot.name} ${width}: ${message.text()}`);
  });
  await page.addInitScript((memory) => {
    for (const [key, value] of Object.entries(memory)) localStorage.setItem(key, JSON.stringify(value));
  }, shot.memory ?? {});
  try {
    await loadSmall(url);
    await page.goto(url);
    await shot.prepare(page);
    await page.screenshot({ path: join(options.to, `${shot.name}-${width}.png`) });
    console.log(`${shot.name} at ${width}`);
  } catch (error) {
    console.error(
      `${shot.name} at ${width} failed: ${error instanceof Error ? error.message.split("\n")[0] : String(error)}`,
    );
    await page.screenshot({ path: join(options.to, `${shot.name}-${width}-failed.png`) });
  } finally {
    process.kill(server.serverPid(), "SIGCONT");
    await context.close();
  }
}

function readOptions(args: readonly string[]): { to: string; names: string[] | undefined; widths: number[] } {
  const option = (name: string) => (args.includes(name) ? args[args.indexOf(name) + 1] : undefined);
  const to = option("--to");
  if (to === undefined) {
    console.error("usage: npm run screenshots -- --to DIR [--only NAME,NAME] [--widths 390,1280,2560]");
    process.exit(2);
  }
  return {
    to: resolve(to),
    names: option("--only")?.split(","),
    widths: (option("--widths") ?? "390,1280,2560").split(",").map(Number),
  };
}

const server = await startServer();
const browser = await launchBrowser();
writeNoiseLora(server.home, LORA, 0.1);
try {
  for (const shot of SHOTS.filter(({ name }) => options.names?.includes(name) ?? true)) {
    for (const width of options.widths) await take(browser, server.url, shot, width);
  }
} finally {
  await browser.close();
  await server.stop();
}
