// Finds the Chromium or Chrome that the browser tests drive, and installs Debian's when it may.
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { installDebian } from "./debian.ts";

const NAMES = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome"];
const FIXED = [
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
];

/** Path of an installed browser, or undefined. CHROMIUM_PATH names one directly. */
export function findChromium(): string | undefined {
  const named = process.env["CHROMIUM_PATH"];
  if (named) return existsSync(named) ? named : undefined;
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  const candidates = [...folders.flatMap((folder) => NAMES.map((name) => join(folder, name))), ...FIXED];
  return candidates.find((path) => existsSync(path));
}

/** Like findChromium, but installs Debian's package when this is root on Debian; else fails with one line that says what to do. */
export function ensureChromium(): string {
  const found = findChromium();
  if (found) return found;
  const installed = installDebian("chromium") ? findChromium() : undefined;
  if (installed) return installed;
  throw new Error(
    "The browser tests need Chromium or Chrome: install it (Debian: apt-get install chromium) or set CHROMIUM_PATH to its program.",
  );
}
