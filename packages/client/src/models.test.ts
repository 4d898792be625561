// Downloads against a real HTTP server that plays the part of one which fetches two files.
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Client, createClient } from "./client.ts";

type Progress = Record<string, unknown> | null;

let http: Server;
let client: Client;
let calls: string[];
/** Answers of the status, one after the other; the last one stays. */
let progress: Progress[];
let isRunning: boolean;

const step = (percentage: number, isDownloading = true, error: string | null = null): Progress => ({
  is_downloading: isDownloading,
  percentage,
  current_artifact: "weights",
  current_file: null,
  downloaded_bytes: percentage,
  total_bytes: 100,
  note: null,
  error,
});

beforeEach(async () => {
  calls = [];
  isRunning = false;
  http = createServer((request, response) => {
    calls.push(request.method ?? "");
    const send = (status: number, body: object) => response.writeHead(status).end(JSON.stringify(body));
    if (request.method === "POST" && isRunning)
      send(409, { detail: "It runs.", code: "download_running", retryable: true });
    else if (request.method !== "GET") send(200, { message: "" });
    else {
      const [now = null, ...rest] = progress;
      if (rest.length > 0) progress = rest;
      send(200, { downloaded: now === null, missing: now === null ? [] : ["weights/a"], progress: now });
    }
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  client = createClient({ url: `http://127.0.0.1:${(http.address() as AddressInfo).port}` });
});
afterEach(() => {
  http.closeAllConnections();
  http.close();
});

test("a download tells its progress and ends when all is here", async () => {
  progress = [step(10), step(60), null];
  const seen: number[] = [];
  const last = await client.models.download("longlive", {
    pollMs: 1,
    onProgress: ({ percentage }) => seen.push(percentage),
  });
  expect(seen).toEqual([10, 60]);
  expect(last).toEqual({ downloaded: true, missing: [], progress: undefined });
});

test("a download that runs already is followed", async () => {
  isRunning = true;
  progress = [step(50), null];
  expect(await client.models.download("all", { pollMs: 1 })).toMatchObject({ downloaded: true });
});

test("a download that fails says why", async () => {
  progress = [step(50), step(50, false, "The disk is full.")];
  await expect(client.models.download("longlive", { pollMs: 1 })).rejects.toMatchObject({
    reason: "download_failed",
    message: "The disk is full.",
  });
});

test("the signal gives it up on the server, too", async () => {
  progress = [step(50)];
  const abort = new AbortController();
  const download = client.models.download("longlive", {
    pollMs: 5,
    signal: abort.signal,
    onProgress: () => abort.abort(),
  });
  await expect(download).rejects.toMatchObject({ code: "aborted" });
  expect(calls.at(-1)).toBe("DELETE");
});
