// Preloaded into a server whose memory is measured: SIGUSR2 makes it collect garbage. Its own heap is so small that it
// would hardly ever do so by itself, while each forgotten object of the WebRTC library holds pictures in native memory.
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc");
process.on("SIGUSR2", () => {
  collect();
  // What the first one freed may have held more.
  setTimeout(collect, 200);
});
