// Preloaded into the server of bench/soak.ts: SIGUSR2 makes it collect its garbage, give freed memory back to the system
// and write down what is left. Its own heap is so small that it would hardly ever collect by itself, while each forgotten
// object of the WebRTC library holds pictures in native memory. glibc's malloc keeps free pages that lie between used ones,
// by chance up to 40 MB of them, which would hide a leak.
import { ChildProcess } from "node:child_process";
import { renameSync, writeFileSync } from "node:fs";
import { Session as Inspector } from "node:inspector";
import { createRequire } from "node:module";
import { setTimeout as sleep } from "node:timers/promises";
import { queryObjects } from "node:v8";
import koffi from "koffi";

const server = new URL("../packages/server/src/", import.meta.url);
const inspector = new Inspector();
inspector.connect();
const mallocTrim = koffi.load("libc.so.6").func("int malloc_trim(size_t pad)");

process.on("SIGUSR2", async () => {
  // What the first one frees may hold more. Unlike `gc()` the inspector's gives the freed pages back, too.
  for (let i = 0; i < 3; i++) {
    await new Promise((resolve) => inspector.post("HeapProfiler.collectGarbage", resolve));
    await sleep(300);
  }
  mallocTrim(0);
  const { Session } = await import(new URL("sessions/session.ts", server).href);
  const { RTCPeerConnection } = createRequire(new URL("index.ts", server))("@roamhq/wrtc");
  const count = (type) => queryObjects(type, { format: "count" });
  const { heapUsed, external } = process.memoryUsage();
  const report = {
    heapBytes: heapUsed + external,
    objects: { sessions: count(Session), connections: count(RTCPeerConnection), processes: count(ChildProcess) },
  };
  const path = process.env.EVERFRAME_SOAK_REPORT;
  writeFileSync(`${path}.part`, JSON.stringify(report));
  renameSync(`${path}.part`, path);
});
